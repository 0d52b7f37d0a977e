use super::*;

#[tokio::test]
async fn a_function_is_shown_under_the_qualifier_that_was_asked_for() {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.publish("1").await;
    bed.ok("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"})).await;
    for (qualifier, version) in
        [(None, "$LATEST"), (Some("$LATEST"), "$LATEST"), (Some("1"), "1"), (Some("live"), "1")]
    {
        let input = with(json!({"FunctionName": "f"}), json!({"Qualifier": qualifier}));
        let shown = bed.ok("GetFunction", input).await;
        let arn = qualifier.map_or(ARN.to_owned(), |qualifier| format!("{ARN}:{qualifier}"));
        assert_eq!(shown["Configuration"]["FunctionArn"], arn);
        assert_eq!(shown["Configuration"]["Version"], version);
        let hex = bed.served().code.sha256_hex;
        let place =
            format!("http://localhost:4566/_pitbird/code/us-east-1/000000000000/functions/f/{hex}.zip?");
        assert!(text(&shown["Code"]["Location"]).starts_with(&place), "{shown}");
        assert_eq!(shown["Code"]["RepositoryType"], "S3");
        assert_eq!((shown.get("Tags"), shown.get("Concurrency")), (None, None));
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let bed = Bed::new().await;
    bed.create("f").await;
    for (input, arn) in [
        (json!({"FunctionName": "g"}), "arn:aws:lambda:us-east-1:000000000000:function:g".to_owned()),
        (json!({"FunctionName": "f", "Qualifier": "1"}), format!("{ARN}:1")),
        (json!({"FunctionName": "f:live"}), format!("{ARN}:live")),
    ] {
        let expected = missing(format!("Function not found: {arn}"));
        assert_eq!(bed.refused("GetFunction", input.clone()).await, expected);
        assert_eq!(bed.refused("GetFunctionConfiguration", input).await, expected);
    }
    let other = "arn:aws:lambda:us-east-1:111111111111:function:f";
    let message = format!(
        "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetFunction on resource: {other} \
         because no resource-based policy allows the lambda:GetFunction action"
    );
    let denied = refusal(403, "AccessDeniedException", message);
    assert_eq!(bed.refused("GetFunction", json!({"FunctionName": other})).await, denied);
}

/// What tools ask for of every function, and how Lambda says that there is none.
#[tokio::test]
async fn configurations_that_no_function_has_are_told_so() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let named = json!({"FunctionName": "f"});
    assert_eq!(bed.ok("GetFunctionCodeSigningConfig", named.clone()).await, json!({}));
    let invoke = missing(format!("The function {ARN}:$LATEST doesn't have an EventInvokeConfig"));
    assert_eq!(bed.refused("GetFunctionEventInvokeConfig", named.clone()).await, invoke);
    let url = missing("The resource you requested does not exist.");
    assert_eq!(bed.refused("GetFunctionUrlConfig", named.clone()).await, url);
    let provisioned = invalid("The function resource provided must be an alias or a published version.");
    let qualified = with(named, json!({"Qualifier": "$LATEST"}));
    assert_eq!(bed.refused("GetProvisionedConcurrencyConfig", qualified).await, provisioned);
}

#[tokio::test]
async fn there_are_no_code_signing_configurations() {
    let bed = Bed::new().await;
    let page = json!({"Marker": "m", "MaxItems": 1});
    for input in [json!({}), page.clone()] {
        let listed = bed.ok("ListCodeSigningConfigs", input).await;
        assert_eq!(listed, json!({"CodeSigningConfigs": []}));
    }
    let arn = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0";
    let named = json!({"CodeSigningConfigArn": arn});
    let absent = missing(format!("The Lambda code signing configuration {arn} can not be found."));
    for (operation, input) in [
        ("GetCodeSigningConfig", named.clone()),
        ("ListFunctionsByCodeSigningConfig", named.clone()),
        ("ListFunctionsByCodeSigningConfig", with(named, page)),
    ] {
        assert_eq!(bed.refused(operation, input).await, absent, "{operation}");
    }
    let other = json!({"CodeSigningConfigArn": "arn:aws:lambda:us-east-1:000000000000:function:f"});
    assert_eq!(bed.refused("GetCodeSigningConfig", other).await.code, "ValidationException");
}

#[tokio::test]
async fn runtimes_are_managed_by_the_host() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let named = json!({"FunctionName": "f"});
    let auto = json!({"UpdateRuntimeOn": "Auto", "FunctionArn": format!("{ARN}:$LATEST")});
    assert_eq!(bed.ok("GetRuntimeManagementConfig", named.clone()).await, auto);
    let put = |on: &str| with(named.clone(), json!({"UpdateRuntimeOn": on}));
    assert_eq!(bed.ok("PutRuntimeManagementConfig", put("Auto")).await, auto);
    let frozen = unsupported("UpdateRuntimeOn FunctionUpdate");
    assert_eq!(bed.refused("PutRuntimeManagementConfig", put("FunctionUpdate")).await, frozen);
    let pinned = with(
        put("Manual"),
        json!({"RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:0000000000000000000000000000000000000000000000000000000000000000"}),
    );
    assert_eq!(bed.refused("PutRuntimeManagementConfig", pinned).await.code, "ValidationException");
    let none = bed.refused("GetRuntimeManagementConfig", with(named, json!({"Qualifier": "7"}))).await;
    assert_eq!(none, missing(format!("Function not found: {ARN}:7")));
}
