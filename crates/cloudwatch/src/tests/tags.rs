use super::*;

const ARN: &str = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a:b/c";

#[tokio::test]
async fn tags_are_set_changed_and_taken_away() {
    let bed = Bed::new();
    bed.alarm("a:b/c", json!({"Tags": [{"Key": "a", "Value": "1"}]})).await;
    let tags = json!([{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]);
    bed.ok("TagResource", json!({"ResourceARN": ARN, "Tags": tags})).await;
    assert_eq!(bed.ok("ListTagsForResource", json!({"ResourceARN": ARN})).await, json!({"Tags": tags}));
    bed.ok("UntagResource", json!({"ResourceARN": ARN, "TagKeys": ["a", "z"]})).await;
    let rest = json!({"Tags": [{"Key": "b", "Value": ""}]});
    assert_eq!(bed.ok("ListTagsForResource", json!({"ResourceARN": ARN})).await, rest);
}

#[tokio::test]
async fn tags_have_bounds_and_an_owner() {
    let bed = Bed::new();
    bed.alarm("a:b/c", json!({})).await;
    let tags = |from: u32, to: u32| -> Vec<Json> {
        (from..to).map(|n| json!({"Key": n.to_string(), "Value": "v"})).collect()
    };
    bed.ok("TagResource", json!({"ResourceARN": ARN, "Tags": tags(0, 50)})).await;
    let refused = bed.refused("TagResource", json!({"ResourceARN": ARN, "Tags": tags(50, 51)})).await;
    assert_eq!(refused, value("The collection Tags must not have a size greater than 50."));
    let reserved = json!({"ResourceARN": ARN, "Tags": [{"Key": "aws:x", "Value": "y"}]});
    assert_eq!(
        bed.refused("TagResource", reserved).await,
        value("The value aws:x for parameter Tags is invalid.")
    );
    for arn in
        [format!("{ARN}d"), ARN.replace("us-east-1", "eu-west-1"), ARN.replace(":alarm:", ":dashboard:")]
    {
        let refused = bed.refused("ListTagsForResource", json!({"ResourceARN": arn})).await;
        assert_eq!(
            refused,
            refusal(404, "ResourceNotFoundException", format!("The resource {arn} does not exist."))
        );
    }
    let refused = bed.refused("ListTagsForResource", json!({"ResourceARN": "a"})).await;
    assert_eq!(refused, value("The value a for parameter ResourceARN is invalid."));
}
