use super::*;

/// An API with the stage `dev` on its first deployment; a second one that nothing serves.
async fn staged(bed: &Bed) -> (String, String, String) {
    let (api, _) = bed.mock_api().await;
    let first = bed.deploy(&api, json!({"stageName": "dev", "variables": {"testVar": "default"}})).await;
    let second = bed.deploy(&api, json!({})).await;
    (api, first, second)
}

/// The life of a canary as API Gateway's guide tells it, from the first deployment to the last.
#[tokio::test]
async fn a_canary_is_released_raised_promoted_and_removed() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let variables = json!({"testVar": "test", "testVar2": "test2"});
    let first = bed.deploy(&api, json!({"stageName": "dev", "variables": variables})).await;
    let made = bed.stage(&api, "dev").await;
    let plain = json!({
        "stageName": "dev", "deploymentId": first, "variables": variables, "methodSettings": {},
        "cacheClusterEnabled": false, "cacheClusterStatus": "NOT_AVAILABLE", "tracingEnabled": false,
        "createdDate": made["createdDate"], "lastUpdatedDate": made["lastUpdatedDate"],
    });
    assert_eq!(made, plain);

    let settings = json!({"percentTraffic": 50.0, "stageVariableOverrides": {"testVar": "override"}});
    let second = bed.deploy(&api, json!({"stageName": "dev", "canarySettings": settings})).await;
    let canary = |percent: f64| {
        json!({
            "deploymentId": second, "percentTraffic": percent,
            "stageVariableOverrides": {"testVar": "override"}, "useStageCache": false,
        })
    };
    let released = bed.stage(&api, "dev").await;
    let times = json!({"lastUpdatedDate": released["lastUpdatedDate"]});
    assert_eq!(released, with(&with(&plain, json!({"canarySettings": canary(50.0)})), times));

    let all = json!([patch("replace", "/canarySettings/percentTraffic", "100.0")]);
    let raised = bed.patch_stage(&api, "dev", all).await.expect("raised");
    assert_eq!(raised["canarySettings"], canary(100.0));
    let snapshot = bed.store.snapshot();
    let track = snapshot.stage(&api, "dev").expect("a stage").choose(0.999);
    assert!(track.is_canary && track.deployment.id == second);
    let seen: Vec<_> = track.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(seen, [("testVar", "override"), ("testVar2", "test2")]);

    let promote = json!([
        patch("replace", "/canarySettings/percentTraffic", "0.0"),
        patch("copy", "/variables", "/canarySettings/stageVariableOverrides"),
        patch("copy", "/deploymentId", "/canarySettings/deploymentId"),
    ]);
    let promoted = bed.patch_stage(&api, "dev", promote).await.expect("promoted");
    assert_eq!(promoted["deploymentId"], json!(second));
    assert_eq!(promoted["variables"], json!({"testVar": "override", "testVar2": "test2"}));
    assert_eq!(promoted["canarySettings"], canary(0.0));

    let removed =
        bed.patch_stage(&api, "dev", json!([patch("remove", "/canarySettings", "")])).await.expect("removed");
    assert!(removed.get("canarySettings").is_none());
    assert_eq!((&removed["deploymentId"], &removed["createdDate"]), (&json!(second), &made["createdDate"]));
    let delete = |id: &str| bed.told("DeleteDeployment", json!({"restApiId": api, "deploymentId": id}));
    assert_eq!(delete(&first).await.expect("free").0, 202);
    let active = "Active stages pointing to this deployment must be moved or deleted";
    assert_eq!(delete(&second).await.expect_err("served"), bad(active));
}

#[tokio::test]
async fn rolling_back_leaves_production_as_it_was() {
    let bed = Bed::new();
    let (api, first, _) = staged(&bed).await;
    let before = bed.stage(&api, "dev").await;
    let settings = json!({"percentTraffic": 10.0, "stageVariableOverrides": {"testVar": "canary"}});
    bed.deploy(&api, json!({"stageName": "dev", "canarySettings": settings})).await;
    let back = json!([patch("remove", "/canarySettings", "")]);
    let after = bed.patch_stage(&api, "dev", back.clone()).await.expect("rolled back");
    assert_eq!(after, with(&before, json!({"lastUpdatedDate": after["lastUpdatedDate"]})));
    assert!(bed.patch_stage(&api, "dev", back).await.is_ok(), "once more does no harm");
    let snapshot = bed.store.snapshot();
    let stage = snapshot.stage(&api, "dev").expect("a stage");
    assert!(stage.canary.is_none() && stage.base.deployment.id == first);
}

#[tokio::test]
async fn a_canary_deployment_needs_a_stage_and_a_stage_with_a_canary_needs_a_canary_deployment() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let start = "Invalid deployment content specified.";
    let no_stage = format!(
        "{start}Non null and non empty stageName must be provided for canary deployment. Provided value is "
    );
    let settings = json!({"canarySettings": {"percentTraffic": 50.0}});
    for (more, message) in [
        (json!({}), format!("{no_stage}null")),
        (json!({"stageName": ""}), no_stage),
        (
            json!({"stageName": "non-existing"}),
            format!(
                "{start}Stage non-existing must already be created before making a canary release deployment"
            ),
        ),
    ] {
        let input = with(&with(&json!({"restApiId": api}), settings.clone()), more);
        assert_eq!(bed.run("CreateDeployment", input).await.expect_err("refused"), bad(message));
    }
    bed.deploy(&api, with(&settings, json!({"stageName": "dev"}))).await;
    let message = format!(
        "{start}Non canary deployment not supported on stage dev because Canary is enabled. Provide CanarySettings in \
         deploymentInput."
    );
    let refused = bed.run("CreateDeployment", json!({"restApiId": api, "stageName": "dev"})).await;
    assert_eq!(refused.expect_err("the canary is on"), bad(message));
    let list = bed.ok("GetDeployments", json!({"restApiId": api})).await;
    assert_eq!(list["item"].as_array().expect("a list").len(), 2, "a refused deployment isn't kept");
    for (more, refused) in [
        (
            json!({"canarySettings": {"percentTraffic": 101.0}}),
            bad("Invalid canary percentTraffic specified: 101. It must be between 0.0 and 100.0"),
        ),
        (
            json!({"canarySettings": {"percentTraffic": 1.0}, "variables": {"a": "1"}}),
            unsupported("variables together with canarySettings"),
        ),
    ] {
        let input = with(&json!({"restApiId": api, "stageName": "dev"}), more);
        assert_eq!(bed.run("CreateDeployment", input).await.expect_err("refused"), refused);
    }
}

#[tokio::test]
async fn a_canary_deployment_replaces_the_canary_before_it_wholly() {
    let bed = Bed::new();
    let (api, first, _) = staged(&bed).await;
    let settings = json!({"percentTraffic": 40.0, "stageVariableOverrides": {"testVar": "canary1"}, "useStageCache": true});
    bed.deploy(&api, json!({"stageName": "dev", "canarySettings": settings})).await;
    let next = bed.deploy(&api, json!({"stageName": "dev", "canarySettings": {}})).await;
    let stage = bed.stage(&api, "dev").await;
    let canary = json!({"deploymentId": next, "percentTraffic": 0.0, "useStageCache": false});
    assert_eq!((&stage["canarySettings"], &stage["deploymentId"]), (&canary, &json!(first)));
}

#[tokio::test]
async fn a_stage_may_begin_with_a_canary() {
    let bed = Bed::new();
    let (api, first, second) = staged(&bed).await;
    for (name, settings, canary) in [
        (
            "own",
            json!({"percentTraffic": 40.0, "stageVariableOverrides": {"testVar": "canary"}}),
            json!({
                "deploymentId": first, "percentTraffic": 40.0, "stageVariableOverrides": {"testVar": "canary"},
                "useStageCache": false,
            }),
        ),
        (
            "other",
            json!({"deploymentId": second, "percentTraffic": 60}),
            json!({"deploymentId": second, "percentTraffic": 60.0, "useStageCache": false}),
        ),
        ("bare", json!({}), json!({"deploymentId": first, "percentTraffic": 0.0, "useStageCache": false})),
    ] {
        let input =
            json!({"restApiId": api, "stageName": name, "deploymentId": first, "canarySettings": settings});
        assert_eq!(bed.ok("CreateStage", input).await["canarySettings"], canary);
        assert_eq!(bed.stage(&api, name).await["canarySettings"], canary);
    }
}

#[tokio::test]
async fn the_first_patch_of_a_leaf_makes_the_canary() {
    let bed = Bed::new();
    let (api, first, second) = staged(&bed).await;
    for (leaf, value, canary) in [
        (
            "percentTraffic",
            "50.0",
            json!({"deploymentId": first, "percentTraffic": 50.0, "useStageCache": false}),
        ),
        (
            "percentTraffic",
            "33.333330",
            json!({"deploymentId": first, "percentTraffic": 33.33333, "useStageCache": false}),
        ),
        (
            "deploymentId",
            &second,
            json!({"deploymentId": second, "percentTraffic": 0.0, "useStageCache": false}),
        ),
        (
            "stageVariableOverrides/testVar",
            "x",
            json!({
                "deploymentId": first, "percentTraffic": 0.0, "useStageCache": false,
                "stageVariableOverrides": {"testVar": "x"},
            }),
        ),
    ] {
        let operations = json!([patch("replace", &format!("/canarySettings/{leaf}"), value)]);
        let stage = bed.patch_stage(&api, "dev", operations).await.expect(leaf);
        assert_eq!((&stage["canarySettings"], &stage["deploymentId"]), (&canary, &json!(first)));
        bed.patch_stage(&api, "dev", json!([patch("remove", "/canarySettings", "")])).await.expect("removed");
    }
}

#[tokio::test]
async fn shares_and_deployments_are_checked_and_nothing_is_changed() {
    let bed = Bed::new();
    let (api, _, _) = staged(&bed).await;
    let before = bed.stage(&api, "dev").await;
    let percent = |value: &str| {
        bad(format!("Invalid canary percentTraffic specified: {value}. It must be between 0.0 and 100.0"))
    };
    for (op, path, value, refused) in [
        ("replace", "/canarySettings/percentTraffic", "100.01", percent("100.01")),
        ("replace", "/canarySettings/percentTraffic", "-0.1", percent("-0.1")),
        ("replace", "/canarySettings/percentTraffic", "NaN", percent("NaN")),
        ("replace", "/canarySettings/percentTraffic", "", percent("")),
        ("replace", "/canarySettings/deploymentId", "nothing", bad("Deployment id does not exist")),
        (
            "add",
            "/canarySettings/deploymentId",
            "x",
            bad("Invalid add operation with path: /canarySettings/deploymentId"),
        ),
        (
            "copy",
            "/deploymentId",
            "/canarySettings/deploymentId",
            bad("Promotion not available. Canary does not exist."),
        ),
        (
            "copy",
            "/canarySettings/deploymentId",
            "/deploymentId",
            bad(
                "Invalid copy operation with path: /canarySettings/deploymentId and from /deploymentId. Valid copy:path \
                 are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, \
                 /canarySettings/stageVariableOverrides]",
            ),
        ),
        (
            "remove",
            "/canarySettings/stageVariableOverrides",
            "",
            bad(
                "Cannot remove method setting canarySettings/stageVariableOverrides because there is no method setting \
                 for this method ",
            ),
        ),
    ] {
        let refusal = bed.patch_stage(&api, "dev", json!([patch(op, path, value)])).await.expect_err(path);
        assert_eq!(refusal, refused, "{op} {path} {value}");
    }
    assert_eq!(bed.stage(&api, "dev").await, before);
}

/// What a stage serves follows each patch at once: the answer comes after the snapshot.
#[tokio::test]
async fn the_data_plane_follows_each_patch() {
    let bed = Bed::new();
    let (api, first, second) = staged(&bed).await;
    for (percent, draw, deployment) in [
        ("0.0", 0.0, &first),
        ("10.0", 0.0999, &second),
        ("10.0", 0.1001, &first),
        ("100.0", 0.9999, &second),
    ] {
        let operations = json!([
            patch("replace", "/canarySettings/deploymentId", &second),
            patch("replace", "/canarySettings/percentTraffic", percent),
        ]);
        bed.patch_stage(&api, "dev", operations).await.expect(percent);
        let snapshot = bed.store.snapshot();
        let track = snapshot.stage(&api, "dev").expect("a stage").choose(draw);
        assert_eq!(&track.deployment.id, deployment, "{percent} {draw}");
    }
}
