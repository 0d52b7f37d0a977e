use super::*;

fn policy(effect: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "logs:PutLogEvents", "Resource": "*",
        "Principal": {"Service": "route53.amazonaws.com"}}]})
    .to_string()
}

#[tokio::test]
async fn resource_policies_are_put_described_and_deleted() {
    let bed = Bed::new();
    for name in ["b", "a", "b"] {
        let put =
            bed.ok("PutResourcePolicy", json!({"policyName": name, "policyDocument": policy("Allow")})).await;
        let put = &put["resourcePolicy"];
        assert_eq!((&put["policyName"], &put["policyScope"]), (&json!(name), &json!("ACCOUNT")));
        assert_eq!(put["policyDocument"], json!(policy("Allow")));
        assert!(put["lastUpdatedTime"].as_i64() >= Some(bed.start_ms));
    }
    let found = bed.ok("DescribeResourcePolicies", json!({})).await;
    assert_eq!(column(&found["resourcePolicies"], "policyName"), ["a", "b"]);
    let resources = bed.ok("DescribeResourcePolicies", json!({"policyScope": "RESOURCE"})).await;
    assert_eq!(resources, json!({"resourcePolicies": []}));
    let first = bed.ok("DescribeResourcePolicies", json!({"limit": 1})).await;
    let rest = bed.ok("DescribeResourcePolicies", json!({"nextToken": first["nextToken"]})).await;
    assert_eq!(column(&rest["resourcePolicies"], "policyName"), ["b"]);
    bed.ok("DeleteResourcePolicy", json!({"policyName": "a"})).await;
    let none = refusal("ResourceNotFoundException", "Policy with name [a] does not exist.");
    assert_eq!(bed.refused("DeleteResourcePolicy", json!({"policyName": "a"})).await, none);
    for number in 1..10 {
        let name = format!("p{number}");
        bed.ok("PutResourcePolicy", json!({"policyName": name, "policyDocument": policy("Allow")})).await;
    }
    let limit = refusal("LimitExceededException", "Resource limit exceeded.");
    let more = json!({"policyName": "more", "policyDocument": policy("Allow")});
    assert_eq!(bed.refused("PutResourcePolicy", more).await, limit);
    bed.ok("PutResourcePolicy", json!({"policyName": "p1", "policyDocument": policy("Allow")})).await;
}

#[tokio::test]
async fn a_policy_that_can_t_be_obeyed_is_refused() {
    let bed = Bed::new();
    for (input, refused) in [
        (
            json!({"policyName": "p", "policyDocument": policy("Deny")}),
            unsupported("Deny in a resource policy of CloudWatch Logs"),
        ),
        (
            json!({"policyName": "p", "policyDocument": policy("Maybe")}),
            bad("Policy document is not valid: Effect is neither Allow nor Deny"),
        ),
        (
            json!({"policyName": "p", "policyDocument": "{"}),
            bad("Policy document is not valid: it is not JSON"),
        ),
        (
            json!({"policyName": "p", "policyDocument": "{}"}),
            bad("Policy document is not valid: it has no Statement"),
        ),
        (
            json!({"policyName": "p", "policyDocument": "{\"Statement\": {\"Effect\": \"Allow\"}}"}),
            bad("Policy document is not valid: a statement has no Principal"),
        ),
        (json!({"policyDocument": policy("Allow")}), bad("policyName must be specified.")),
        (
            json!({"policyName": "p", "policyDocument": policy("Allow"),
                "resourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:g"}),
            unsupported("resourceArn"),
        ),
    ] {
        assert_eq!(bed.refused("PutResourcePolicy", input).await, refused);
    }
}
