use pitbird_snapshot::Integration;

use super::*;

fn lambda(function: &str) -> String {
    format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations")
}

#[tokio::test]
async fn a_lambda_proxy_is_put_read_changed_and_deleted() {
    let bed = Bed::new();
    let api = bed.ok("CreateRestApi", json!({"name": "pets"})).await;
    let root = text(&api["rootResourceId"]);
    let at = at(&text(&api["id"]), &root, "GET");
    let method = json!({"authorizationType": "NONE", "requestParameters": {"method.request.path.id": true}});
    bed.ok("PutMethod", with(&at, method)).await;
    let uri = lambda("arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}");
    let put = json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri, "connectionType": "INTERNET"});
    let plain = json!({
        "type": "AWS_PROXY", "httpMethod": "POST", "uri": uri, "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000, "cacheNamespace": root, "cacheKeyParameters": [], "responseTransferMode": "BUFFERED",
    });
    assert_eq!(bed.told("PutIntegration", with(&at, put)).await.expect("put"), (201, plain.clone()));
    assert_eq!(bed.ok("GetIntegration", at.clone()).await, plain);
    let uri = lambda("arn:aws:lambda:us-east-1:000000000000:function:g");
    let operations = json!([
        patch("replace", "/uri", &uri),
        patch("replace", "/timeoutInMillis", "3000"),
        patch("add", "/requestParameters/integration.request.path.id", "method.request.path.id"),
        patch("replace", "/connectionType", "INTERNET"),
        patch("add", "/cacheKeyParameters/method.request.path.id", ""),
    ]);
    let changed = bed.ok("UpdateIntegration", with(&at, json!({"patchOperations": operations}))).await;
    let more = json!({
        "uri": uri, "timeoutInMillis": 3000, "cacheKeyParameters": ["method.request.path.id"],
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
    });
    assert_eq!(changed, with(&plain, more));
    assert_eq!(bed.ok("GetMethod", at.clone()).await["methodIntegration"], changed);
    assert_eq!(bed.told("DeleteIntegration", at.clone()).await.expect("deleted"), (204, Json::Null));
    for operation in ["GetIntegration", "DeleteIntegration", "UpdateIntegration"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Integration identifier specified"));
    }
}

#[tokio::test]
async fn what_is_no_integration_is_refused() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let get = at(&api, &root, "GET");
    let mock = json!({"type": "MOCK"});
    let before = bed.ok("GetMethod", get.clone()).await;
    for (at, input, refused) in [
        (at("nowhere", &root, "GET"), mock.clone(), missing("Invalid Resource identifier specified")),
        (at(&api, "nobody", "GET"), mock.clone(), missing("Invalid Resource identifier specified")),
        (at(&api, &root, "POST"), mock, missing("Invalid Method identifier specified")),
        (
            get.clone(),
            json!({"type": "AWS_PROXY"}),
            bad("Enumeration value for HttpMethod must be non-empty"),
        ),
        (
            get.clone(),
            json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": "f"}),
            bad("Invalid ARN specified in the request"),
        ),
        (
            get.clone(),
            json!({"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "nowhere"}),
            bad("Invalid HTTP endpoint specified for URI"),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "tlsConfig": {"insecureSkipVerification": true}}),
            unsupported("tlsConfig.insecureSkipVerification true with type MOCK"),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "credentials": "arn:aws:iam::111111111111:role/r"}),
            refusal(403, "AccessDeniedException", "Cross-account pass role is not allowed."),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "connectionType": "VPC_LINK"}),
            unsupported("connectionType VPC_LINK"),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "responseTransferMode": "STREAM"}),
            bad(
                "Invalid ResponseTransferMode. ResponseTransferMode STREAM is only supported for HTTP_PROXY and AWS_PROXY \
                 integrations.",
            ),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "timeoutInMillis": 49}),
            bad("Timeout should be between 50 ms and 29000 ms"),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "timeoutInMillis": 29001}),
            bad("Timeout should be between 50 ms and 29000 ms"),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "passthroughBehavior": "ALWAYS"}),
            bad(
                "Invalid passthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER",
            ),
        ),
        (
            get.clone(),
            json!({"type": "MOCK", "requestParameters": {"integration.request.header.a": "method.request.header.a"}}),
            bad(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
                 expression parameter specified: method.request.header.a]",
            ),
        ),
    ] {
        let refusal = bed.run("PutIntegration", with(&at, input.clone())).await.expect_err("refused");
        assert_eq!(refusal, refused, "{input}");
    }
    assert_eq!(bed.ok("GetMethod", get).await, before, "nothing was changed");
}

#[tokio::test]
async fn an_integration_response_is_put_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let method_at = at(&api, &root, "GET");
    let at = with(&method_at, json!({"statusCode": "200"}));
    let put = json!({"responseTemplates": {"application/json": "\"created\""}, "selectionPattern": ""});
    let created = with(&put, json!({"statusCode": "200"}));
    assert_eq!(
        bed.told("PutIntegrationResponse", with(&at, put)).await.expect("put"),
        (201, created.clone())
    );
    assert_eq!(bed.ok("GetIntegrationResponse", at.clone()).await, created);
    let operations = json!([patch("replace", "/selectionPattern", "updated-pattern")]);
    let changed =
        bed.ok("UpdateIntegrationResponse", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!(changed, with(&created, json!({"selectionPattern": "updated-pattern"})));
    for templates in [json!({"application/json": null}), json!({"application/json": ""})] {
        let put = bed.ok("PutIntegrationResponse", with(&at, json!({"responseTemplates": templates}))).await;
        assert_eq!(put, json!({"statusCode": "200", "responseTemplates": {"application/json": null}}));
    }
    let operations = json!([
        patch("replace", "/responseTemplates/application~1json", "$input.body"),
        patch("replace", "/contentHandling", "CONVERT_TO_TEXT"),
    ]);
    let changed =
        bed.ok("UpdateIntegrationResponse", with(&at, json!({"patchOperations": operations}))).await;
    let more = json!({"contentHandling": "CONVERT_TO_TEXT", "responseTemplates": {"application/json": "$input.body"}});
    assert_eq!(changed, with(&json!({"statusCode": "200"}), more));
    assert_eq!(bed.told("DeleteIntegrationResponse", at.clone()).await.expect("deleted").0, 204);
    for operation in ["GetIntegrationResponse", "DeleteIntegrationResponse", "UpdateIntegrationResponse"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Response status code specified"));
        let nowhere = with(&at, json!({"restApiId": "nowhere"}));
        let refused = bed.run(operation, nowhere).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Resource identifier specified"));
        let refused =
            bed.run(operation, with(&at, json!({"httpMethod": "POST"}))).await.expect_err(operation);
        let word = if operation.starts_with("Delete") { "Integration" } else { "Method" };
        assert_eq!(refused, missing(format!("Invalid {word} identifier specified")), "{operation}");
    }
    bed.ok("DeleteIntegration", method_at).await;
    let refused = bed.run("PutIntegrationResponse", at).await.expect_err("nothing to answer for");
    assert_eq!(refused, missing("Invalid Integration identifier specified"));
}

#[tokio::test]
async fn an_http_integration_tells_how_it_connects() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let get = at(&api, &root, "GET");
    let put = json!({
        "type": "HTTP", "integrationHttpMethod": "POST", "uri": "https://example.com/{id}",
        "credentials": "arn:aws:iam::000000000000:role/r", "contentHandling": "CONVERT_TO_BINARY",
        "requestTemplates": {"application/json": "#set($a = 1)$a"}, "passthroughBehavior": "NEVER",
        "cacheNamespace": "n", "cacheKeyParameters": ["method.request.path.id"], "timeoutInMillis": 100,
    });
    let made = bed.ok("PutIntegration", with(&get, put.clone())).await;
    for (name, value) in put.as_object().expect("an object") {
        let name = if name == "integrationHttpMethod" { "httpMethod" } else { name };
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!(made["connectionType"], "INTERNET");
    assert_eq!(bed.ok("GetIntegration", get).await, made);
}

/// What is accepted is obeyed: the data plane's view of it says what the control plane was told.
#[tokio::test]
async fn the_data_plane_obeys_what_was_accepted() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let mock = at(&api, &root, "GET");
    let parameters = json!({"method.response.header.Access-Control-Allow-Origin": false});
    bed.ok("PutMethodResponse", with(&mock, json!({"statusCode": "404", "responseParameters": parameters})))
        .await;
    let operations =
        json!([patch("replace", "/requestTemplates/application~1json", "{\"statusCode\": 404}")]);
    bed.ok("UpdateIntegration", with(&mock, json!({"patchOperations": operations}))).await;
    let response = json!({
        "statusCode": "404", "selectionPattern": "4\\d\\d", "responseTemplates": {"application/json": "{\"a\":1}"},
        "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
    });
    bed.ok("PutIntegrationResponse", with(&mock, response)).await;
    let functions = [
        "f",
        "arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}",
        "arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.alias}",
        "${stageVariables.alias}",
    ];
    for (verb, function) in ["POST", "PUT", "PATCH", "DELETE"].into_iter().zip(functions) {
        let at = at(&api, &root, verb);
        bed.ok("PutMethod", with(&at, json!({"authorizationType": "NONE"}))).await;
        let put = json!({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": lambda(function)});
        bed.ok("PutIntegration", with(&at, put)).await;
    }
    bed.deploy(&api, json!({"stageName": "prod", "variables": {"alias": "live"}})).await;
    let snapshot = bed.store.snapshot();
    let track = &snapshot.stage(&api, "prod").expect("deployed").base;
    let resource = track.deployment.router.find("/").expect("the root").value;
    let Integration::Mock(mock) = &resource.method("GET").expect("a method").integration else {
        panic!("no mock")
    };
    let answer = mock.answer(None).expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (404, &b"{\"a\":1}"[..]));
    assert_eq!(answer.spelled, ["Access-Control-Allow-Origin"]);
    let headers: Vec<_> =
        answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let expected = [("access-control-allow-origin", &b"*"[..]), ("content-type", &b"application/json"[..])];
    assert_eq!(headers, expected);
    assert_eq!(track.targets.len(), 4);
    assert!(track.targets.iter().all(Result::is_ok), "{:?}", track.targets);
}
