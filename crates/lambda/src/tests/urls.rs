use super::*;

fn of(alias: Option<&str>, more: Json) -> Json {
    with(json!({"FunctionName": "f", "Qualifier": alias}), more)
}

async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.ok("PublishVersion", json!({"FunctionName": "f"})).await;
    bed.ok("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"})).await;
    bed
}

#[tokio::test]
async fn a_url_is_given_changed_listed_and_taken_away() {
    let bed = bed().await;
    let cors = json!({"AllowOrigins": ["https://a.example"], "AllowCredentials": true, "MaxAge": 60});
    let input = of(Some("live"), json!({"AuthType": "NONE", "Cors": cors}));
    let (status, made) = bed.told("CreateFunctionUrlConfig", input.clone()).await.expect("made");
    assert_eq!(status, 201);
    let address = text(&made["FunctionUrl"]);
    let id = address.strip_prefix("http://").and_then(|rest| rest.split('.').next()).expect("an id");
    assert_eq!(address, format!("http://{id}.lambda-url.us-east-1.localhost:4566/"));
    let shown = json!({
        "FunctionUrl": address, "FunctionArn": format!("{ARN}:live"), "AuthType": "NONE", "Cors": cors,
        "CreationTime": made["CreationTime"],
    });
    assert_eq!(made, shown);
    let words = format!(
        "Failed to create function url config for [functionArn = {ARN}:live]. Error message:  FunctionUrlConfig exists for \
         this Lambda function"
    );
    assert_eq!(bed.refused("CreateFunctionUrlConfig", input).await, conflict(words));
    bed.ok("CreateFunctionUrlConfig", of(None, json!({"AuthType": "AWS_IAM"}))).await;

    let found = bed.ok("GetFunctionUrlConfig", of(Some("live"), json!({}))).await;
    let whole = with(shown, json!({"LastModifiedTime": made["CreationTime"], "InvokeMode": "BUFFERED"}));
    assert_eq!(found, whole);
    let changed = bed.ok("UpdateFunctionUrlConfig", of(Some("live"), json!({"AuthType": "AWS_IAM"}))).await;
    assert_eq!((&changed["AuthType"], &changed["Cors"]), (&json!("AWS_IAM"), &cors));
    assert_ne!(changed["LastModifiedTime"], changed["CreationTime"]);
    assert_eq!(changed["InvokeMode"], "BUFFERED");
    let streamed = of(Some("live"), json!({"InvokeMode": "RESPONSE_STREAM"}));
    let changed = bed.ok("UpdateFunctionUrlConfig", streamed).await;
    assert_eq!((&changed["InvokeMode"], &changed["Cors"]), (&json!("RESPONSE_STREAM"), &cors));
    let listed = bed.ok("ListFunctionUrlConfigs", json!({"FunctionName": "f"})).await;
    let arns: Vec<&Json> = listed["FunctionUrlConfigs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|url| &url["FunctionArn"])
        .collect();
    assert_eq!(arns, [&json!(ARN), &json!(format!("{ARN}:live"))]);

    let served = |id: &str| bed.store.snapshot().url(id).map(|url| url.record.is_signed);
    assert_eq!(served(id), Some(true));
    assert_eq!(bed.told("DeleteFunctionUrlConfig", of(Some("live"), json!({}))).await, Ok((204, Json::Null)));
    assert_eq!(served(id), None);
    let absent = missing("The resource you requested does not exist.");
    for operation in ["GetFunctionUrlConfig", "DeleteFunctionUrlConfig", "UpdateFunctionUrlConfig"] {
        assert_eq!(bed.refused(operation, of(Some("live"), json!({}))).await, absent, "{operation}");
    }
}

#[tokio::test]
async fn a_url_goes_with_what_it_was_for() {
    let bed = bed().await;
    let id = |made: &Json| text(&made["FunctionUrl"])["http://".len()..].split('.').next().map(str::to_owned);
    let none = json!({"AuthType": "NONE"});
    let of_alias =
        id(&bed.ok("CreateFunctionUrlConfig", of(Some("live"), none.clone())).await).expect("an id");
    let of_function = id(&bed.ok("CreateFunctionUrlConfig", of(None, none)).await).expect("an id");
    bed.ok("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await;
    assert!(
        bed.store.snapshot().url(&of_alias).is_none() && bed.store.snapshot().url(&of_function).is_some()
    );
    bed.ok("DeleteFunction", json!({"FunctionName": "f"})).await;
    assert!(bed.store.snapshot().url(&of_function).is_none());
}

#[tokio::test]
async fn what_can_have_no_url_is_refused() {
    let bed = bed().await;
    let none = json!({"AuthType": "NONE"});
    let refused = async |input: Json| bed.refused("CreateFunctionUrlConfig", input).await;
    assert_eq!(
        refused(with(none.clone(), json!({"FunctionName": "g"}))).await,
        missing("Function does not exist")
    );
    assert_eq!(refused(of(Some("old"), none.clone())).await, missing("Function does not exist"));
    let version = refused(of(Some("1"), none.clone())).await;
    assert!(version.message.contains("at 'qualifier' failed to satisfy constraint"), "{version:?}");
    assert_eq!(refused(of(None, json!({"AuthType": "SOME"}))).await.code, "ValidationException");
}
