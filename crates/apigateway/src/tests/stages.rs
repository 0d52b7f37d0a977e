use super::*;

#[tokio::test]
async fn a_stage_is_made_read_and_deleted() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let deployment = bed.deploy(&api, json!({})).await;
    let input = json!({"restApiId": api, "stageName": "prod", "deploymentId": deployment});
    let (status, made) = bed.told("CreateStage", input.clone()).await.expect("made");
    let created = made["createdDate"].clone();
    let plain = json!({
        "deploymentId": deployment, "stageName": "prod", "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE", "methodSettings": {}, "tracingEnabled": false,
        "createdDate": created, "lastUpdatedDate": created,
    });
    assert_eq!((status, made), (201, plain.clone()));
    assert_eq!(bed.stage(&api, "prod").await, plain);
    assert_eq!(
        bed.run("CreateStage", input).await.expect_err("there already"),
        conflict("Stage already exists")
    );
    let more = json!({
        "restApiId": api, "stageName": "v1_2-b", "deploymentId": deployment, "description": "d",
        "variables": {"a": "1"}, "tags": {"k": "v"}, "cacheClusterEnabled": false, "tracingEnabled": true,
    });
    let made = bed.ok("CreateStage", more).await;
    assert_eq!(
        (&made["description"], &made["variables"], &made["tags"]),
        (&json!("d"), &json!({"a": "1"}), &json!({"k": "v"}))
    );
    assert_eq!(made["tracingEnabled"], json!(true));
    let gone =
        bed.told("DeleteStage", json!({"restApiId": api, "stageName": "prod"})).await.expect("deleted");
    assert_eq!(gone.0, 202);
    for operation in ["GetStage", "DeleteStage", "UpdateStage"] {
        let refused =
            bed.run(operation, json!({"restApiId": api, "stageName": "prod"})).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid stage identifier specified"));
    }
}

#[tokio::test]
async fn what_is_no_stage_is_refused() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let deployment = bed.deploy(&api, json!({})).await;
    let good = json!({"restApiId": api, "stageName": "prod", "deploymentId": deployment});
    for (more, refused) in [
        (json!({"restApiId": "nowhere"}), missing("Invalid API identifier specified 000000000000:nowhere")),
        (json!({"deploymentId": "nothing"}), bad("Deployment id does not exist")),
        (json!({"canarySettings": {"deploymentId": "nothing"}}), bad("Deployment id does not exist")),
        (json!({"stageName": "a b"}), bad("Stage name only allows a-zA-Z0-9_-")),
        (json!({"documentationVersion": "v1"}), bad("Invalid Documentation version specified")),
        (
            json!({"canarySettings": {"percentTraffic": 100.5}}),
            bad("Invalid canary percentTraffic specified: 100.5. It must be between 0.0 and 100.0"),
        ),
        (
            json!({"canarySettings": {"percentTraffic": -1.0}}),
            bad("Invalid canary percentTraffic specified: -1. It must be between 0.0 and 100.0"),
        ),
        (
            json!({"variables": {"a": "{}"}}),
            bad(
                "Invalid stage variable value of key a.  Please use values with alphanumeric characters and the \
                 symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.",
            ),
        ),
    ] {
        assert_eq!(bed.run("CreateStage", with(&good, more)).await.expect_err("refused"), refused);
    }
    assert_eq!(bed.ok("GetStages", json!({"restApiId": api})).await, json!({"item": []}));
}

#[tokio::test]
async fn stages_are_listed_by_what_they_serve() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let first = bed.deploy(&api, json!({"stageName": "one"})).await;
    let second = bed.deploy(&api, json!({"stageName": "two"})).await;
    let names = |list: Json| -> Vec<String> {
        list["item"].as_array().expect("a list").iter().map(|stage| text(&stage["stageName"])).collect()
    };
    assert_eq!(names(bed.ok("GetStages", json!({"restApiId": api})).await), ["one", "two"]);
    for (deployment, name) in [(first, "one"), (second, "two")] {
        let list = bed.ok("GetStages", json!({"restApiId": api, "deploymentId": deployment})).await;
        assert_eq!(names(list), [name]);
    }
}

#[tokio::test]
async fn an_api_has_so_many_stages_and_no_more() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let deployment = bed.deploy(&api, json!({})).await;
    for n in 0..crate::stage::STAGES_MAX {
        bed.ok(
            "CreateStage",
            json!({"restApiId": api, "stageName": format!("s{n}"), "deploymentId": deployment}),
        )
        .await;
    }
    let one_more = json!({"restApiId": api, "stageName": "more", "deploymentId": deployment});
    let refused = bed.run("CreateStage", one_more).await.expect_err("one too many");
    assert_eq!((refused.status, refused.code.as_str()), (429, "LimitExceededException"));
    let refused = bed.run("CreateDeployment", json!({"restApiId": api, "stageName": "more"})).await;
    assert_eq!(refused.expect_err("this way neither").code, "LimitExceededException");
}

#[tokio::test]
async fn an_update_changes_all_or_nothing() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let before = bed.stage(&api, "dev").await;
    let operations = json!([
        patch("replace", "/description", "x"),
        patch("replace", "/variables/a", "1"),
        patch("replace", "/deploymentId", "nothing"),
    ]);
    let refused = bed.patch_stage(&api, "dev", operations).await.expect_err("the last one");
    assert_eq!(refused, bad("Deployment id does not exist"));
    assert_eq!(bed.stage(&api, "dev").await, before);
    let touched = bed.patch_stage(&api, "dev", json!([])).await.expect("nothing to do");
    assert_eq!(touched["createdDate"], before["createdDate"]);
    assert!(
        touched["lastUpdatedDate"].as_f64() > before["lastUpdatedDate"].as_f64(),
        "each update leaves its time"
    );
}

#[tokio::test]
async fn setting_one_method_setting_makes_the_whole_entry() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let whole = json!({
        "metricsEnabled": true, "dataTraceEnabled": false, "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10000.0, "cachingEnabled": false, "cacheTtlInSeconds": 300,
        "cacheDataEncrypted": false, "requireAuthorizationForCacheControl": true,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    });
    for key in ["*/*", "pets/GET", "~1pets~1{id}/ANY"] {
        let operations = json!([patch("replace", &format!("/{key}/metrics/enabled"), "true")]);
        let stage = bed.patch_stage(&api, "dev", operations).await.expect(key);
        assert_eq!(stage["methodSettings"][key], whole);
    }
    let stage = bed.patch_stage(&api, "dev", json!([patch("remove", "/*/*", "")])).await.expect("removed");
    assert_eq!(stage["methodSettings"].as_object().expect("a map").len(), 2);
}

#[tokio::test]
async fn logging_needs_the_accounts_role() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:access";
    let access = json!([
        patch("replace", "/accessLogSettings/destinationArn", arn),
        patch("replace", "/accessLogSettings/format", "$context.requestId $context.nothing"),
    ]);
    let execution = json!([patch("replace", "/*/*/logging/loglevel", "INFO")]);
    let refused = bad("CloudWatch Logs role ARN must be set in account settings to enable logging");
    for operations in [&access, &execution] {
        assert_eq!(bed.patch_stage(&api, "dev", operations.clone()).await.expect_err("no role"), refused);
    }
    let fresh = json!({"features": ["UsagePlans"], "apiKeyVersion": "4"});
    assert_eq!(bed.ok("GetAccount", json!({})).await, fresh);
    let role = "arn:aws:iam::000000000000:role/logs";
    let operations = json!([patch("replace", "/cloudwatchRoleArn", role)]);
    let account = bed.ok("UpdateAccount", json!({"patchOperations": operations})).await;
    assert_eq!(account, with(&fresh, json!({"cloudwatchRoleArn": role})));
    assert_eq!(bed.ok("GetAccount", json!({})).await, account);
    let stage = bed.patch_stage(&api, "dev", access).await.expect("a role");
    let log = json!({"destinationArn": arn, "format": "$context.requestId $context.nothing"});
    assert_eq!(stage["accessLogSettings"], log);
    let stage = bed.patch_stage(&api, "dev", execution).await.expect("a role");
    assert_eq!(stage["methodSettings"]["*/*"]["loggingLevel"], "INFO");
}

#[tokio::test]
async fn an_account_tells_the_throttle_that_it_has() {
    let throttle = pitbird_snapshot::ACCOUNT_THROTTLE;
    let bed = Bed::throttled(Some(throttle));
    let limits = json!({"burstLimit": 5000, "rateLimit": 10000.0});
    assert_eq!(bed.ok("GetAccount", json!({})).await["throttleSettings"], limits);
    assert_eq!(bed.ok("UpdateAccount", json!({})).await["throttleSettings"], limits);
}

#[tokio::test]
async fn a_stages_caches_are_flushed_by_number() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let stage = json!({"stageName": "dev", "cacheClusterEnabled": true, "cacheClusterSize": "1.6"});
    bed.deploy(&api, stage).await;
    let shown = bed.stage(&api, "dev").await;
    assert_eq!(
        (&shown["cacheClusterEnabled"], &shown["cacheClusterSize"], &shown["cacheClusterStatus"]),
        (&json!(true), &json!("1.6"), &json!("AVAILABLE"))
    );
    let at = json!({"restApiId": api, "stageName": "dev"});
    for (operation, flushed) in
        [("FlushStageCache", (1, 0)), ("FlushStageCache", (2, 0)), ("FlushStageAuthorizersCache", (2, 1))]
    {
        assert_eq!(bed.told(operation, at.clone()).await.expect("flushed"), (202, Json::Null));
        let snapshot = bed.store.snapshot();
        let record = &snapshot.stage(&api, "dev").expect("a stage").record;
        assert_eq!((record.cache_flushed, record.authorizers_flushed), flushed, "the data plane sees it");
        let refused = bed.run(operation, with(&at, json!({"stageName": "none"}))).await;
        assert_eq!(refused.expect_err("no stage"), missing("Invalid stage identifier specified"));
    }
    assert_eq!(bed.stage(&api, "dev").await, shown);
}
