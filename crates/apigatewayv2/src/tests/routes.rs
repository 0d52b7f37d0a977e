use super::*;

#[tokio::test]
async fn a_route_is_told_as_it_was_made() {
    let bed = Bed::new();
    let api = bed.api().await;
    let integration = bed.integration(&api).await;
    let input = json!({
        "ApiId": api, "RouteKey": "GET /pets/{id}", "Target": format!("integrations/{integration}"),
        "OperationName": "GetPet", "ApiKeyRequired": false,
    });
    let (status, made) = bed.told("CreateRoute", input).await.expect("a route");
    assert_eq!(status, 201);
    let id = text(&made["routeId"]);
    let expected = json!({
        "apiKeyRequired": false, "authorizationType": "NONE", "operationName": "GetPet", "routeId": id,
        "routeKey": "GET /pets/{id}", "target": format!("integrations/{integration}"),
    });
    assert_eq!((made, id.len()), (expected.clone(), 7));
    assert_eq!(bed.ok("GetRoute", json!({"ApiId": api, "RouteId": id})).await, expected);
    let update = json!({"ApiId": api, "RouteId": id, "OperationName": "", "AuthorizationType": "AWS_IAM"});
    let updated = bed.ok("UpdateRoute", update).await;
    assert_eq!((updated.get("operationName"), &updated["authorizationType"]), (None, &json!("AWS_IAM")));
    assert_eq!(bed.told("DeleteRoute", json!({"ApiId": api, "RouteId": id})).await.expect("gone").0, 204);
    let refused = bed.run("GetRoute", json!({"ApiId": api, "RouteId": id})).await.expect_err("gone");
    assert_eq!(refused, missing(format!("Invalid Route identifier specified {id}")));
}

#[tokio::test]
async fn a_key_belongs_to_one_route() {
    let bed = Bed::new();
    let api = bed.api().await;
    for key in ["GET /x", "GET /pets/{id}", "$default", "GET /x/", "ANY /x"] {
        bed.route(&api, key).await;
    }
    for key in ["GET /x", "GET /pets/{name}", "$default"] {
        let refused = bed.run("CreateRoute", json!({"ApiId": api, "RouteKey": key})).await.expect_err(key);
        let message = format!("Route with key {key} already exists for this API");
        assert_eq!(refused, refusal(409, "ConflictException", message));
    }
    let other = text(&bed.route(&api, "PUT /x").await["routeId"]);
    let moved = json!({"ApiId": api, "RouteId": other, "RouteKey": "GET /x"});
    assert_eq!(bed.run("UpdateRoute", moved).await.expect_err("taken").status, 409);
    let same = json!({"ApiId": api, "RouteId": other, "RouteKey": "PUT /x"});
    bed.ok("UpdateRoute", same).await;
}

#[tokio::test]
async fn what_a_route_leads_to_cant_go() {
    let bed = Bed::new();
    let api = bed.api().await;
    let integration = bed.integration(&api).await;
    let target = format!("integrations/{integration}");
    let route = json!({"ApiId": api, "RouteKey": "GET /", "Target": target});
    let route = text(&bed.ok("CreateRoute", route).await["routeId"]);
    let gone = json!({"ApiId": api, "IntegrationId": integration});
    let refused = bed.run("DeleteIntegration", gone.clone()).await.expect_err("in use");
    let message = format!(
        "Cannot delete Integration because it is referenced by the following Routes with Ids: [{route}]"
    );
    assert_eq!(refused, refusal(409, "ConflictException", message));
    bed.ok("UpdateRoute", json!({"ApiId": api, "RouteId": route, "Target": ""})).await;
    assert_eq!(bed.told("DeleteIntegration", gone).await.expect("gone").0, 204);
    for target in ["integrations/none", "none", &target] {
        let input = json!({"ApiId": api, "RouteId": route, "Target": target});
        assert_eq!(bed.run("UpdateRoute", input).await.expect_err(target).code, "BadRequestException");
    }
}

#[tokio::test]
async fn routes_have_a_bound() {
    let bed = Bed::new();
    let api = bed.api().await;
    for n in 0..crate::route::ROUTES_MAX {
        bed.route(&api, &format!("GET /{n}")).await;
    }
    let refused = bed.run("CreateRoute", json!({"ApiId": api, "RouteKey": "GET /more"})).await;
    assert_eq!(refused.expect_err("one too many").code, "TooManyRequestsException");
    let page = bed.ok("GetRoutes", json!({"ApiId": api, "MaxResults": "200"})).await;
    let rest = json!({"ApiId": api, "MaxResults": "200", "NextToken": page["nextToken"]});
    let rest = bed.ok("GetRoutes", rest).await;
    let count = |page: &Json| page["items"].as_array().expect("a list").len();
    assert_eq!((count(&page), count(&rest), rest.get("nextToken")), (200, 100, None));
}

#[tokio::test]
async fn an_integration_is_changed_in_part() {
    let bed = Bed::new();
    let api = bed.api().await;
    let id = bed.integration(&api).await;
    let update = json!({
        "ApiId": api, "IntegrationId": id, "PayloadFormatVersion": "1.0", "TimeoutInMillis": 50,
        "Description": "slow", "ConnectionType": "INTERNET",
    });
    let updated = bed.ok("UpdateIntegration", update).await;
    let expected = json!({
        "connectionType": "INTERNET", "description": "slow", "integrationId": id, "integrationMethod": "POST",
        "integrationType": "AWS_PROXY", "integrationUri": FUNCTION, "payloadFormatVersion": "1.0",
        "timeoutInMillis": 50,
    });
    assert_eq!(updated, expected);
    for timeout in [49, 30_001] {
        let update = json!({"ApiId": api, "IntegrationId": id, "TimeoutInMillis": timeout});
        assert_eq!(bed.run("UpdateIntegration", update).await.expect_err("a bound").status, 400);
    }
    assert_eq!(bed.ok("GetIntegration", json!({"ApiId": api, "IntegrationId": id})).await, expected);
}
