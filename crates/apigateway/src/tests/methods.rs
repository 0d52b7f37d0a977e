use super::*;

#[tokio::test]
async fn a_method_is_put_read_changed_and_deleted() {
    let bed = Bed::new();
    let api = bed.ok("CreateRestApi", json!({"name": "pets"})).await;
    let at = at(&text(&api["id"]), &text(&api["rootResourceId"]), "ANY");
    let plain = json!({"httpMethod": "ANY", "authorizationType": "NONE", "apiKeyRequired": false});
    let put = with(&at, json!({"authorizationType": "NONE", "apiKeyRequired": false}));
    assert_eq!(bed.told("PutMethod", put.clone()).await.expect("put"), (201, plain.clone()));
    assert_eq!(bed.ok("GetMethod", at.clone()).await, plain);
    let refused = bed.run("PutMethod", put).await.expect_err("there already");
    assert_eq!(refused, conflict("Method already exists for this resource"));
    let operations = json!([
        patch("add", "/requestParameters/method.request.querystring.optional", "true"),
        patch("add", "/requestModels/application~1json", "Empty"),
        patch("replace", "/operationName", "List"),
    ]);
    let changed = bed.ok("UpdateMethod", with(&at, json!({"patchOperations": operations}))).await;
    let more = json!({
        "operationName": "List", "requestModels": {"application/json": "Empty"},
        "requestParameters": {"method.request.querystring.optional": true},
    });
    assert_eq!(changed, with(&plain, more));
    assert_eq!(bed.told("DeleteMethod", at.clone()).await.expect("deleted"), (204, Json::Null));
    for operation in ["GetMethod", "DeleteMethod", "UpdateMethod"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Method identifier specified"));
    }
}

#[tokio::test]
async fn what_is_no_method_is_refused() {
    let bed = Bed::new();
    let api = bed.ok("CreateRestApi", json!({"name": "pets"})).await;
    let (api, root) = (text(&api["id"]), text(&api["rootResourceId"]));
    let authorizer = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS \
                      requires a valid authorizer.";
    let none = json!({"authorizationType": "NONE"});
    let mapping = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
                   expression specified: method.request.body.x]";
    for (at, more, refused) in [
        (at("nowhere", &root, "GET"), json!({}), missing("Invalid Resource identifier specified")),
        (at(&api, "nobody", "GET"), json!({}), missing("Invalid Resource identifier specified")),
        (
            at(&api, &root, "TEST"),
            json!({}),
            bad("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"),
        ),
        (at(&api, &root, "GET"), json!({"authorizationType": "CUSTOM"}), bad(authorizer)),
        (
            at(&api, &root, "GET"),
            json!({"authorizationType": "COGNITO_USER_POOLS", "authorizerId": "abc123"}),
            bad(authorizer),
        ),
        (
            at(&api, &root, "GET"),
            json!({"authorizationType": "none"}),
            bad(
                "Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS",
            ),
        ),
        (
            at(&api, &root, "GET"),
            json!({"authorizationScopes": ["a"]}),
            bad("Authorization scopes can only be set with the authorization type COGNITO_USER_POOLS"),
        ),
        (
            at(&api, &root, "GET"),
            json!({"requestValidatorId": "abc"}),
            bad("Invalid Request Validator identifier specified"),
        ),
        (
            at(&api, &root, "GET"),
            json!({"requestModels": {"application/json": "petModel"}}),
            bad("Invalid model identifier specified: petModel"),
        ),
        (
            at(&api, &root, "GET"),
            json!({"requestParameters": {"method.request.querystring.q": true, "method.request.header.q": true}}),
            bad("Parameter names must be unique across querystring, header and path"),
        ),
        (at(&api, &root, "GET"), json!({"requestParameters": {"method.request.body.x": true}}), bad(mapping)),
    ] {
        let input = with(&with(&at, none.clone()), more);
        assert_eq!(bed.run("PutMethod", input.clone()).await.expect_err("refused"), refused, "{input}");
    }
}

#[tokio::test]
async fn a_method_response_is_put_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let method_at = at(&api, &root, "GET");
    let at = with(&method_at, json!({"statusCode": "200"}));
    let put = bed.told("PutMethodResponse", at.clone()).await.expect("put");
    assert_eq!(put, (201, json!({"statusCode": "200"})));
    let refused = bed.run("PutMethodResponse", at.clone()).await.expect_err("there already");
    assert_eq!(refused, conflict("Response already exists for this resource"));
    let update = |operations: Json| {
        bed.told("UpdateMethodResponse", with(&at, json!({"patchOperations": operations})))
    };
    let name = "/responseParameters/method.response.header.my-header";
    let operations =
        json!([patch("add", name, "true"), patch("add", "/responseModels/application~1json", "Empty")]);
    let whole = json!({
        "statusCode": "200", "responseModels": {"application/json": "Empty"},
        "responseParameters": {"method.response.header.my-header": true},
    });
    assert_eq!(update(operations).await.expect("changed"), (201, whole.clone()));
    assert_eq!(bed.ok("GetMethodResponse", at.clone()).await, whole);
    for (op, path, value, refused) in [
        ("replace", "/responseParameters/wrong", "true", missing("Invalid parameter name specified")),
        ("remove", "/responseParameters/wrong", "", missing("Invalid parameter name specified")),
        ("replace", "/responseModels/a~1b", "Empty", missing("Content-Type specified was not found")),
        ("remove", "/responseModels/wrong", "", missing("Content-Type specified was not found")),
        ("remove", "/wrong/x", "", bad("Invalid patch path /wrong/x")),
        ("add", "/responseModels/a~1b", "Pet", bad("Invalid model identifier specified: Pet")),
    ] {
        assert_eq!(update(json!([patch(op, path, value)])).await.expect_err(path), refused);
    }
    let method = bed.ok("GetMethod", method_at).await;
    assert_eq!(method["methodResponses"]["200"], whole);
    assert_eq!(bed.told("DeleteMethodResponse", at.clone()).await.expect("deleted").0, 204);
    for operation in ["GetMethodResponse", "DeleteMethodResponse", "UpdateMethodResponse"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Response status code specified"));
    }
    let message = "1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must \
                   satisfy regular expression pattern: [1-5]\\d\\d";
    let wrong = bed.run("GetMethodResponse", with(&at, json!({"statusCode": "wrong"}))).await;
    let wrong = wrong.expect_err("no status");
    assert_eq!((wrong.status, wrong.code.as_str()), (400, "ValidationException"));
    assert!(
        wrong.message.ends_with(message.rsplit_once("failed").expect("a constraint").1),
        "{}",
        wrong.message
    );
}
