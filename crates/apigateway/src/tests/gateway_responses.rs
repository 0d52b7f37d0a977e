use super::*;

#[tokio::test]
async fn every_kind_has_a_default() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let all = bed.ok("GetGatewayResponses", json!({"restApiId": api})).await;
    let items = all["item"].as_array().expect("items");
    assert_eq!(items.len(), 21);
    assert!(items.iter().all(|item| item["defaultResponse"] == true));
    let template = json!({"application/json": "{\"message\":$context.error.messageString}"});
    let unauthorized = json!({
        "responseType": "UNAUTHORIZED", "statusCode": "401", "responseParameters": {},
        "responseTemplates": template, "defaultResponse": true,
    });
    let at = json!({"restApiId": api, "responseType": "UNAUTHORIZED"});
    assert_eq!(bed.ok("GetGatewayResponse", at).await, unauthorized);
    let whole = bed.ok("GetGatewayResponse", json!({"restApiId": api, "responseType": "DEFAULT_5XX"})).await;
    assert_eq!(whole.get("statusCode"), None);
}

#[tokio::test]
async fn a_response_is_put_changed_and_given_back() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let at = json!({"restApiId": api, "responseType": "MISSING_AUTHENTICATION_TOKEN"});
    let own = json!({
        "statusCode": "404", "responseTemplates": {"application/json": "{\"a\":1}"},
        "responseParameters": {"gatewayresponse.header.X": "'x'"},
    });
    let (status, put) = bed.told("PutGatewayResponse", with(&at, own.clone())).await.expect("put");
    let kind = json!({"responseType": "MISSING_AUTHENTICATION_TOKEN", "defaultResponse": false});
    assert_eq!((status, &put), (201, &with(&own, kind)));
    assert_eq!(bed.ok("GetGatewayResponse", at.clone()).await, put);
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let operations = json!([
        patch("replace", "/statusCode", "403"),
        patch("remove", "/responseParameters/gatewayresponse.header.X", ""),
        patch("add", "/responseParameters/gatewayresponse.header.Y", "context.requestId"),
    ]);
    let changed = bed.ok("UpdateGatewayResponse", with(&at, json!({"patchOperations": operations}))).await;
    let parameters = json!({"gatewayresponse.header.Y": "context.requestId"});
    assert_eq!(changed, with(&put, json!({"statusCode": "403", "responseParameters": parameters})));
    let deployments: Vec<pitbird_records::Deployment> =
        bed.store.list("").expect("a read").into_iter().map(|found| found.record).collect();
    let frozen = &deployments[0].gateway_responses[0];
    assert_eq!(frozen.status_code.as_deref(), Some("404"), "as it was when it was deployed");
    assert_eq!(bed.told("DeleteGatewayResponse", at.clone()).await.expect("deleted"), (202, Json::Null));
    assert_eq!(bed.ok("GetGatewayResponse", at.clone()).await["defaultResponse"], true);
    let refused = bed.run("DeleteGatewayResponse", at.clone()).await.expect_err("a default");
    assert_eq!(refused, missing("Gateway response type not defined on api"));
    let operations = json!([patch("replace", "/statusCode", "400")]);
    let changed = bed.ok("UpdateGatewayResponse", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!((&changed["statusCode"], &changed["defaultResponse"]), (&json!("400"), &json!(false)));
    let bad_source = json!({"responseParameters": {"gatewayresponse.header.X": "plain"}});
    assert!(bed.run("PutGatewayResponse", with(&at, bad_source)).await.is_err());
    let wrong = bed.run("GetGatewayResponse", with(&at, json!({"responseType": "WRONG"}))).await;
    let wrong = wrong.expect_err("no such kind");
    assert_eq!((wrong.status, wrong.code.as_str()), (400, "ValidationException"));
    let nowhere = bed.run("GetGatewayResponses", json!({"restApiId": "nowhere"})).await;
    let unknown = missing("Invalid API identifier specified 000000000000:nowhere");
    assert_eq!(nowhere.expect_err("no API"), unknown);
}
