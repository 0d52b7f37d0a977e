use super::*;

#[tokio::test]
async fn the_root_is_the_accounts_user() {
    let bed = Bed::new();
    let root = json!({
        "Path": "/", "UserName": "root", "UserId": "123456789012", "Arn": "arn:aws:iam::123456789012:root",
        "CreateDate": 0.0,
    });
    assert_eq!(bed.ok("GetUser", json!({})).await["User"], root);
    let refused = bed.refused("GetUser", json!({"UserName": "ada"})).await;
    assert_eq!(refused, missing("The user with name ada cannot be found."));
}

#[tokio::test]
async fn a_user_finds_himself_and_a_role_session_finds_nobody() {
    let bed = Bed::new();
    let ada = Caller { principal: "arn:aws:iam::123456789012:user/dev/ada".into(), ..caller("us-east-1") };
    for input in [json!({}), json!({"UserName": "ada"})] {
        let user = bed.run_as(ada.clone(), "GetUser", input).await.expect("a user")["User"].clone();
        assert_eq!((&user["Path"], &user["UserName"]), (&json!("/dev/"), &json!("ada")));
        assert!(user["UserId"].as_str().expect("an id").starts_with("AIDA"));
    }
    let session = "arn:aws:sts::123456789012:assumed-role/r/s".to_owned();
    let session = Caller { principal: session, ..caller("us-east-1") };
    let refused = bed.run_as(session, "GetUser", json!({})).await.expect_err("no user");
    assert_eq!((refused.status, refused.code.as_str()), (400, "ValidationError"));
    assert_eq!(refused.message, "Must specify userName when calling with non-User credentials");
}

#[tokio::test]
async fn an_account_has_no_alias() {
    let bed = Bed::new();
    let aliases = bed.ok("ListAccountAliases", json!({"MaxItems": 5})).await;
    assert_eq!(aliases, json!({"AccountAliases": [], "IsTruncated": false}));
}
