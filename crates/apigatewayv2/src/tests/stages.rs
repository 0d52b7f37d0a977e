use super::*;

#[tokio::test]
async fn a_stage_is_told_as_it_was_made() {
    let bed = Bed::new();
    let api = bed.api().await;
    bed.route(&api, "GET /x").await;
    let group = "arn:aws:logs:us-east-1:000000000000:log-group:access";
    let input = json!({
        "ApiId": api, "StageName": "dev", "Description": "d", "StageVariables": {"a": "1"}, "Tags": {"t": "v"},
        "AccessLogSettings": {"DestinationArn": format!("{group}:*"), "Format": "$context.requestId"},
        "DefaultRouteSettings": {"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 2.5},
        "RouteSettings": {"GET /x": {"DetailedMetricsEnabled": true}},
    });
    let (status, made) = bed.told("CreateStage", input).await.expect("a stage");
    let expected = json!({
        "accessLogSettings": {"destinationArn": group, "format": "$context.requestId"}, "autoDeploy": false,
        "createdDate": made["createdDate"],
        "defaultRouteSettings": {"detailedMetricsEnabled": false, "throttlingBurstLimit": 5, "throttlingRateLimit": 2.5},
        "description": "d", "lastUpdatedDate": made["lastUpdatedDate"],
        "routeSettings": {"GET /x": {"detailedMetricsEnabled": true}}, "stageName": "dev",
        "stageVariables": {"a": "1"}, "tags": {"t": "v"},
    });
    assert_eq!((status, &made), (201, &expected));
    let update = json!({
        "ApiId": api, "StageName": "dev", "StageVariables": {"a": "", "b": "2"},
        "RouteSettings": {"GET /x": {"ThrottlingBurstLimit": 1}},
    });
    let updated = bed.ok("UpdateStage", update).await;
    assert_eq!(updated["stageVariables"], json!({"b": "2"}));
    let settings = json!({"detailedMetricsEnabled": true, "throttlingBurstLimit": 1});
    assert_eq!(updated["routeSettings"]["GET /x"], settings);
    for (operation, more, member) in [
        ("DeleteRouteSettings", json!({"RouteKey": "GET /x"}), "/routeSettings/GET ~1x"),
        ("DeleteAccessLogSettings", json!({}), "/accessLogSettings"),
        ("ResetAuthorizersCache", json!({}), "/nothing"),
    ] {
        let input = with(&json!({"ApiId": api, "StageName": "dev"}), more);
        assert_eq!(bed.told(operation, input).await.expect(operation).0, 204);
        assert_eq!(bed.stage(&api, "dev").await.pointer(member), None, "{operation}");
    }
    assert_eq!(
        bed.told("DeleteStage", json!({"ApiId": api, "StageName": "dev"})).await.expect("gone").0,
        204
    );
    let refused = bed.run("GetStage", json!({"ApiId": api, "StageName": "dev"})).await.expect_err("gone");
    assert_eq!(refused, missing("Invalid stage identifier specified"));
}

#[tokio::test]
async fn settings_are_of_routes_that_there_are() {
    let bed = Bed::new();
    let api = bed.api().await;
    let input = json!({"ApiId": api, "StageName": "dev", "RouteSettings": {"GET /x": {}}});
    let refused = bed.run("CreateStage", input).await.expect_err("no such route");
    assert_eq!(refused, missing("Unable to find Route by key GET /x within the provided RouteSettings"));
    let logs = json!({"ApiId": api, "StageName": "dev", "DefaultRouteSettings": {"LoggingLevel": "INFO"}});
    let refused = bed.run("CreateStage", logs).await.expect_err("no such logs");
    assert_eq!(refused, bad("Execution logs are not supported on protocolType HTTP"));
}

#[tokio::test]
async fn stages_have_names_and_a_bound() {
    let bed = Bed::new();
    let api = bed.api().await;
    for name in ["a b", "$other", "é"] {
        let refused = bed.run("CreateStage", json!({"ApiId": api, "StageName": name})).await;
        assert_eq!(refused.expect_err(name).code, "BadRequestException");
    }
    for n in 0..crate::stage::STAGES_MAX {
        bed.ok("CreateStage", json!({"ApiId": api, "StageName": format!("s{n}")})).await;
    }
    let twice = bed.run("CreateStage", json!({"ApiId": api, "StageName": "s1"})).await;
    assert_eq!(twice.expect_err("taken"), refusal(409, "ConflictException", "Stage already exists"));
    let more = bed.run("CreateStage", json!({"ApiId": api, "StageName": "more"})).await;
    assert_eq!(more.expect_err("one too many").status, 429);
}
