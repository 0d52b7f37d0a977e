use super::*;

#[tokio::test]
async fn publishing_is_idempotent_until_something_changes() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let publish = json!({"FunctionName": "f"});
    let (status, first) = bed.told("PublishVersion", publish.clone()).await.expect("a version");
    assert_eq!(
        (status, &first["Version"], &first["FunctionArn"]),
        (201, &json!("1"), &json!(format!("{ARN}:1")))
    );
    assert_eq!((&first["State"], &first["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    assert_eq!(bed.ok("PublishVersion", publish.clone()).await, first);
    let described = with(publish.clone(), json!({"Description": "other"}));
    assert_eq!(bed.ok("PublishVersion", described).await, first, "a description is no change");
    bed.ok("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Timeout": 4})).await;
    bed.state.finish().await;
    let described = with(publish.clone(), json!({"Description": "second"}));
    let second = bed.ok("PublishVersion", described).await;
    assert_eq!((&second["Version"], &second["Description"]), (&json!("2"), &json!("second")));
    assert_eq!(
        bed.ok("PublishVersion", publish.clone()).await["Version"],
        "2",
        "the head's own is still empty"
    );
    bed.ok("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Description": "new"})).await;
    bed.state.finish().await;
    assert_eq!(bed.ok("PublishVersion", publish).await["Version"], "3");
    assert_eq!(bed.configuration("1").await["Timeout"], 3, "versions never change");
}

#[tokio::test]
async fn numbers_are_never_used_again() {
    let bed = Bed::new().await;
    bed.create("f").await;
    for (content, number) in [("1", "1"), ("2", "2"), ("3", "3")] {
        assert_eq!(bed.publish(content).await, number);
    }
    bed.ok("DeleteFunction", json!({"FunctionName": "f", "Qualifier": "3"})).await;
    assert_eq!(bed.publish("4").await, "4");
}

#[tokio::test]
async fn a_publisher_may_say_what_he_expects() {
    let bed = Bed::new().await;
    let head = bed.create("f").await;
    let found = text(&head["CodeSha256"]);
    let message = format!(
        "CodeSHA256 (abc) is different from current CodeSHA256 in $LATEST ({found}). Please try again with the \
         CodeSHA256 in $LATEST."
    );
    for (expects, expected) in [
        (json!({"CodeSha256": "abc"}), invalid(message)),
        (json!({"RevisionId": "old"}), stale("GetFunction/GetAlias")),
    ] {
        let refused = bed.refused("PublishVersion", with(json!({"FunctionName": "f"}), expects)).await;
        assert_eq!(refused, expected);
    }
    let right = json!({"FunctionName": "f", "CodeSha256": found, "RevisionId": head["RevisionId"]});
    assert_eq!(bed.ok("PublishVersion", right).await["Version"], "1");
    assert_ne!(bed.configuration("$LATEST").await["RevisionId"], head["RevisionId"]);
}

#[tokio::test]
async fn versions_that_are_needed_stay() {
    let bed = Bed::new().await;
    bed.create("f").await;
    for content in ["1", "2", "3"] {
        bed.publish(content).await;
    }
    let routing = json!({"AdditionalVersionWeights": {"2": 0.1}});
    let alias =
        json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1", "RoutingConfig": routing});
    bed.ok("CreateAlias", alias).await;
    let in_use =
        |n: u8| conflict(format!("Currently unable to delete {ARN}:{n} because it is used by alias live"));
    let latest = invalid("$LATEST version cannot be deleted without deleting the function.");
    for (qualifier, expected) in [
        ("1", in_use(1)),
        ("2", in_use(2)),
        ("$LATEST", latest),
        ("live", invalid("Deletion of aliases is not currently supported.")),
    ] {
        let input = json!({"FunctionName": "f", "Qualifier": qualifier});
        assert_eq!(bed.refused("DeleteFunction", input).await, expected);
    }
    for qualifier in ["3", "3", "99"] {
        bed.ok("DeleteFunction", json!({"FunctionName": "f", "Qualifier": qualifier})).await;
    }
    let gone = missing(format!("Function not found: {ARN}:3"));
    assert_eq!(bed.refused("GetFunction", json!({"FunctionName": "f", "Qualifier": "3"})).await, gone);
}
