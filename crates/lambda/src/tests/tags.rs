use super::*;

#[tokio::test]
async fn tags_come_and_go() {
    let bed = Bed::new().await;
    bed.ok("CreateFunction", with(function("f"), json!({"Tags": {"a": "1"}}))).await;
    let tags = async || bed.ok("ListTags", json!({"Resource": ARN})).await["Tags"].clone();
    assert_eq!(tags().await, json!({"a": "1"}));
    let added = bed.told("TagResource", json!({"Resource": ARN, "Tags": {"a": "2", "b": ""}})).await;
    assert_eq!(added.expect("added"), (204, Json::Null));
    assert_eq!(tags().await, json!({"a": "2", "b": ""}));
    assert_eq!(bed.ok("GetFunction", json!({"FunctionName": "f"})).await["Tags"], tags().await);
    bed.ok("UntagResource", json!({"Resource": ARN, "TagKeys": ["a", "c"]})).await;
    assert_eq!(tags().await, json!({"b": ""}));
}

#[tokio::test]
async fn tags_belong_to_whole_functions() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let qualified =
        invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.");
    let gone = missing("Function not found: arn:aws:lambda:us-east-1:000000000000:function:g");
    let other = "arn:aws:lambda:us-east-1:000000000000:function:g";
    let mapping =
        "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:4b4b4b4b-1111-2222-3333-444444444444";
    let many: serde_json::Map<String, Json> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    for (operation, input, expected) in [
        ("ListTags", json!({"Resource": format!("{ARN}:1")}), &qualified),
        ("TagResource", json!({"Resource": format!("{ARN}:live"), "Tags": {}}), &qualified),
        ("UntagResource", json!({"Resource": format!("{ARN}:$LATEST"), "TagKeys": ["a"]}), &qualified),
        ("ListTags", json!({"Resource": other}), &gone),
        ("TagResource", json!({"Resource": other, "Tags": {"a": "b"}}), &gone),
        ("ListTags", json!({"Resource": mapping}), &missing("The resource you requested does not exist.")),
        (
            "TagResource",
            json!({"Resource": ARN, "Tags": many}),
            &invalid("Number of tags exceeds resource tag limit."),
        ),
    ] {
        assert_eq!(bed.refused(operation, input).await, *expected, "{operation}");
    }
    assert_eq!(bed.ok("ListTags", json!({"Resource": ARN})).await["Tags"], json!({}));
}
