use super::*;

#[tokio::test]
async fn an_api_is_told_as_it_was_made() {
    let bed = Bed::new();
    let cors = json!({"AllowOrigins": ["https://a.example"], "MaxAge": -1, "AllowCredentials": true});
    let input = json!({
        "Name": "pets", "ProtocolType": "HTTP", "Description": "all of them", "Version": "1", "Tags": {"a": "b"},
        "CorsConfiguration": cors,
    });
    let (status, made) = bed.told("CreateApi", input).await.expect("an API");
    assert_eq!(status, 201);
    let id = text(&made["apiId"]);
    assert_eq!(id.len(), 10);
    let expected = json!({
        "apiEndpoint": format!("https://{id}.execute-api.us-east-1.amazonaws.com"), "apiId": id,
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "corsConfiguration": {"allowCredentials": true, "allowOrigins": ["https://a.example"], "maxAge": -1},
        "createdDate": "2020-09-13T12:26:40Z", "description": "all of them", "disableExecuteApiEndpoint": false,
        "ipAddressType": "ipv4", "name": "pets", "protocolType": "HTTP",
        "routeSelectionExpression": "$request.method $request.path", "tags": {"a": "b"}, "version": "1",
    });
    assert_eq!(made, expected);
    assert_eq!(bed.ok("GetApi", json!({"ApiId": id})).await, expected);
    assert_eq!(bed.ok("GetApis", json!({})).await, json!({"items": [expected]}));
    let update = json!({"ApiId": id, "Name": "cats", "Description": "", "DisableExecuteApiEndpoint": true});
    let updated = bed.ok("UpdateApi", update).await;
    assert_eq!((&updated["name"], updated.get("description")), (&json!("cats"), None));
    assert_eq!(updated["disableExecuteApiEndpoint"], json!(true));
    assert_eq!(bed.told("DeleteCorsConfiguration", json!({"ApiId": id})).await.expect("gone").0, 204);
    assert_eq!(bed.ok("GetApi", json!({"ApiId": id})).await.get("corsConfiguration"), None);
    assert_eq!(bed.told("DeleteApi", json!({"ApiId": id})).await.expect("gone").0, 204);
    let refused = bed.run("GetApi", json!({"ApiId": id})).await.expect_err("it is gone");
    assert_eq!(refused, missing(format!("Invalid API identifier specified 000000000000:{id}")));
}

#[tokio::test]
async fn quick_create_makes_all_that_is_needed() {
    let bed = Bed::new();
    let made = bed.ok("CreateApi", json!({"Name": "pets", "ProtocolType": "HTTP", "Target": FUNCTION})).await;
    let api = text(&made["apiId"]);
    let integrations = bed.ok("GetIntegrations", json!({"ApiId": api})).await;
    let integration = &integrations["items"][0];
    assert_eq!(
        *integration,
        json!({
            "apiGatewayManaged": true, "connectionType": "INTERNET", "integrationId": integration["integrationId"],
            "integrationMethod": "POST", "integrationType": "AWS_PROXY", "integrationUri": FUNCTION,
            "payloadFormatVersion": "2.0", "timeoutInMillis": 30000,
        })
    );
    let routes = bed.ok("GetRoutes", json!({"ApiId": api})).await;
    let target = format!("integrations/{}", text(&integration["integrationId"]));
    assert_eq!(
        routes["items"][0],
        json!({
            "apiGatewayManaged": true, "apiKeyRequired": false, "authorizationType": "NONE",
            "routeId": routes["items"][0]["routeId"], "routeKey": "$default", "target": target,
        })
    );
    let stage = bed.stage(&api, "$default").await;
    assert_eq!((&stage["autoDeploy"], &stage["apiGatewayManaged"]), (&json!(true), &json!(true)));
    assert!(stage["deploymentId"].is_string(), "{stage}");
    let other = "arn:aws:lambda:us-east-1:000000000000:function:g";
    bed.ok("UpdateApi", json!({"ApiId": api, "Target": other, "RouteKey": "GET /"})).await;
    let integration = bed.ok("GetIntegrations", json!({"ApiId": api})).await["items"][0].clone();
    assert_eq!(integration["integrationUri"], json!(other));
    assert_eq!(bed.ok("GetRoutes", json!({"ApiId": api})).await["items"][0]["routeKey"], json!("GET /"));
    assert_ne!(bed.stage(&api, "$default").await["deploymentId"], stage["deploymentId"], "it was deployed");
    let id = text(&integration["integrationId"]);
    let refused = bed.run("DeleteIntegration", json!({"ApiId": api, "IntegrationId": id})).await;
    assert_eq!(
        refused.expect_err("managed"),
        bad("An integration that is managed by API Gateway can't be deleted")
    );
    let plain = bed.api().await;
    assert!(bed.run("UpdateApi", json!({"ApiId": plain, "Target": other})).await.is_err());
}

#[tokio::test]
async fn a_quick_route_takes_no_others_requests() {
    let bed = Bed::new();
    let made = bed.ok("CreateApi", json!({"Name": "pets", "ProtocolType": "HTTP", "Target": FUNCTION})).await;
    let api = text(&made["apiId"]);
    bed.route(&api, "GET /pets/{id}").await;
    for key in ["GET /pets/{id}", "GET /pets/{name}"] {
        let refused = bed.run("UpdateApi", json!({"ApiId": api, "RouteKey": key})).await.expect_err(key);
        let message = format!("Route with key {key} already exists for this API");
        assert_eq!(refused, refusal(409, "ConflictException", message));
    }
    bed.ok("UpdateApi", json!({"ApiId": api, "RouteKey": "$default"})).await;
}

#[tokio::test]
async fn the_one_way_to_select_routes_has_two_spellings() {
    let bed = Bed::new();
    let (plain, braced) = ("$request.method $request.path", "${request.method} ${request.path}");
    let made = |expression: &str| json!({"Name": "pets", "ProtocolType": "HTTP", "RouteSelectionExpression": expression});
    let api = bed.ok("CreateApi", made(braced)).await;
    assert_eq!(api["routeSelectionExpression"], json!(braced));
    let change = |expression: &str| json!({"ApiId": api["apiId"], "RouteSelectionExpression": expression});
    assert_eq!(bed.ok("UpdateApi", change(plain)).await["routeSelectionExpression"], json!(plain));
    let refused = bad("Route selection expression for HTTP APIs must be $request.method $request.path");
    let other = "$request.body.action";
    assert_eq!(bed.run("CreateApi", made(other)).await.expect_err("WebSocket"), refused);
    assert_eq!(bed.run("UpdateApi", change(other)).await.expect_err("WebSocket"), refused);
}

#[tokio::test]
async fn a_quick_target_that_is_none_makes_nothing() {
    let bed = Bed::new();
    for input in [
        json!({"Name": "pets", "ProtocolType": "HTTP", "Target": "nothing"}),
        json!({"Name": "pets", "ProtocolType": "HTTP", "RouteKey": "GET /"}),
        json!({"Name": "pets", "ProtocolType": "HTTP", "Target": FUNCTION, "RouteKey": "nothing"}),
        json!({"Name": "", "ProtocolType": "HTTP"}),
        json!({"Name": "a".repeat(129), "ProtocolType": "HTTP"}),
    ] {
        assert_eq!(bed.run("CreateApi", input.clone()).await.expect_err("refused").status, 400, "{input}");
    }
    assert_eq!(bed.ok("GetApis", json!({})).await, json!({"items": []}));
}

#[tokio::test]
async fn tags_are_kept_of_apis_and_stages() {
    let bed = Bed::new();
    let api = bed.api().await;
    bed.ok("CreateStage", json!({"ApiId": api, "StageName": "$default", "Tags": {"a": "1"}})).await;
    let api_arn = format!("arn:aws:apigateway:us-east-1::/apis/{api}");
    let stage_arn = format!("{api_arn}/stages/$default");
    for (arn, expected) in [(api_arn, json!({"b": "2"})), (stage_arn, json!({"a": "1", "b": "2"}))] {
        let tag = json!({"ResourceArn": arn, "Tags": {"b": "2", "c": "3"}});
        assert_eq!(bed.told("TagResource", tag).await.expect("tagged").0, 201);
        let untag = json!({"ResourceArn": arn, "TagKeys": ["c"]});
        assert_eq!(bed.told("UntagResource", untag).await.expect("untagged").0, 204);
        assert_eq!(bed.ok("GetTags", json!({"ResourceArn": arn})).await, json!({"tags": expected}));
    }
    let unknown = json!({"ResourceArn": "arn:aws:apigateway:us-east-1::/apis/none"});
    assert_eq!(bed.run("GetTags", unknown).await.expect_err("no API").status, 404);
}
