use super::*;

const ARN: &str = "arn:aws:logs:us-east-1:000000000000:log-group:g";

#[tokio::test]
async fn tags_are_set_changed_and_taken_away_in_both_ways() {
    let bed = Bed::new();
    bed.ok("CreateLogGroup", json!({"logGroupName": "g", "tags": {"a": "1"}})).await;
    bed.ok("TagResource", json!({"resourceArn": ARN, "tags": {"b": "2", "a": "3"}})).await;
    bed.ok("TagLogGroup", json!({"logGroupName": "g", "tags": {"c": ""}})).await;
    let all = json!({"tags": {"a": "3", "b": "2", "c": ""}});
    assert_eq!(bed.ok("ListTagsForResource", json!({"resourceArn": ARN})).await, all);
    assert_eq!(bed.ok("ListTagsLogGroup", json!({"logGroupName": "g"})).await, all);
    bed.ok("UntagResource", json!({"resourceArn": ARN, "tagKeys": ["a", "z"]})).await;
    bed.ok("UntagLogGroup", json!({"logGroupName": "g", "tags": ["b"]})).await;
    assert_eq!(bed.ok("ListTagsForResource", json!({"resourceArn": ARN})).await, json!({"tags": {"c": ""}}));
}

#[tokio::test]
async fn tags_have_bounds_and_an_owner() {
    let bed = Bed::new();
    bed.group("g").await;
    let tags = |from: usize, to: usize| -> Json {
        (from..to).map(|n| (n.to_string(), json!("v"))).collect::<serde_json::Map<_, _>>().into()
    };
    bed.ok("TagResource", json!({"resourceArn": ARN, "tags": tags(0, 50)})).await;
    let refused = bed.refused("TagResource", json!({"resourceArn": ARN, "tags": tags(50, 51)})).await;
    assert_eq!(refused, refusal("TooManyTagsException", "A resource may have at most 50 tags."));
    let reserved = json!({"resourceArn": ARN, "tags": {"aws:x": "y"}});
    assert_eq!(bed.refused("TagResource", reserved).await, bad("Invalid tag specified: aws:x"));
    for arn in [
        format!("{ARN}h"),
        ARN.replace("us-east-1", "eu-west-1"),
        ARN.replace("000000000000", "111111111111"),
    ] {
        assert_eq!(bed.refused("ListTagsForResource", json!({"resourceArn": arn})).await, no_group());
    }
    assert_eq!(
        bed.refused("ListTagsForResource", json!({"resourceArn": "g"})).await.code,
        "InvalidParameterException"
    );
}
