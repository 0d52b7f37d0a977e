use super::*;

#[tokio::test]
async fn a_deployment_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let input = json!({"restApiId": api, "description": "first"});
    let (status, made) = bed.told("CreateDeployment", input).await.expect("made");
    let id = text(&made["id"]);
    assert_eq!((status, id.len()), (201, 6));
    assert_eq!(made, json!({"id": id, "description": "first", "createdDate": made["createdDate"]}));
    let at = json!({"restApiId": api, "deploymentId": id});
    assert_eq!(bed.ok("GetDeployment", at.clone()).await, made);
    let summary = json!({"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": false}}});
    let whole = bed.ok("GetDeployment", with(&at, json!({"embed": ["apisummary"]}))).await;
    assert_eq!(whole, with(&made, json!({"apiSummary": summary})));
    let operations = json!([patch("replace", "/description", "new")]);
    let changed = bed.ok("UpdateDeployment", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!(changed["description"], "new");
    let operations = json!([patch("replace", "/id", "x")]);
    let refused = bed.run("UpdateDeployment", with(&at, json!({"patchOperations": operations}))).await;
    let message = "Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/description]";
    assert_eq!(refused.expect_err("only the description"), bad(message));
    assert_eq!(bed.told("DeleteDeployment", at.clone()).await.expect("deleted").0, 202);
    for operation in ["GetDeployment", "DeleteDeployment", "UpdateDeployment"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Deployment identifier specified"));
    }
    let plain =
        bed.ok("CreateDeployment", json!({"restApiId": api, "description": "", "variables": {}})).await;
    assert!(plain.get("description").is_none(), "as Terraform sends it");
    assert!(
        bed.ok("GetStages", json!({"restApiId": api})).await["item"].as_array().expect("none").is_empty()
    );
    bed.ok("DeleteMethod", super::at(&api, &root, "GET")).await;
    let refused = bed.run("CreateDeployment", json!({"restApiId": api})).await.expect_err("empty");
    assert_eq!(refused, bad("The REST API doesn't contain any methods"));
    bed.ok("PutMethod", with(&super::at(&api, &root, "PUT"), json!({"authorizationType": "NONE"}))).await;
    let refused = bed.run("CreateDeployment", json!({"restApiId": api})).await.expect_err("half done");
    assert_eq!(refused, bad("No integration defined for method"));
}

#[tokio::test]
async fn a_stages_name_makes_the_stage_or_moves_it() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let more =
        json!({"stageName": "dev", "stageDescription": "d", "variables": {"a": "1"}, "tracingEnabled": true});
    let first = bed.deploy(&api, more).await;
    let made = bed.stage(&api, "dev").await;
    assert_eq!((&made["deploymentId"], &made["description"]), (&json!(first), &json!("d")));
    assert_eq!(made["tracingEnabled"], json!(true));
    let second = bed.deploy(&api, json!({"stageName": "dev"})).await;
    let moved = bed.stage(&api, "dev").await;
    assert_eq!(moved["deploymentId"], json!(second));
    assert_eq!(moved["variables"], json!({"a": "1"}), "kept when none are given");
    assert_eq!(moved["createdDate"], made["createdDate"]);
    assert!(moved["lastUpdatedDate"].as_f64() > made["lastUpdatedDate"].as_f64());
    bed.deploy(&api, json!({"stageName": "dev", "variables": {"b": "2"}})).await;
    assert_eq!(bed.stage(&api, "dev").await["variables"], json!({"b": "2"}), "replaced when some are given");
    for (more, refused) in [
        (json!({"stageName": "a b"}), bad("Stage name only allows a-zA-Z0-9_-")),
        (
            json!({"stageName": "x", "variables": {"a-b": "1"}}),
            bad("Invalid stage variable name: a-b. Please use alphanumeric characters and underscores"),
        ),
    ] {
        let refusal = bed.run("CreateDeployment", with(&json!({"restApiId": api}), more)).await;
        assert_eq!(refusal.expect_err("refused"), refused);
    }
    assert_eq!(
        bed.ok("GetStages", json!({"restApiId": api})).await["item"].as_array().expect("one").len(),
        1
    );
}

#[tokio::test]
async fn a_deployment_that_is_served_stays() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let first = bed.deploy(&api, json!({"stageName": "dev"})).await;
    let second =
        bed.deploy(&api, json!({"stageName": "dev", "canarySettings": {"percentTraffic": 10.0}})).await;
    let delete = |id: &str| bed.told("DeleteDeployment", json!({"restApiId": api, "deploymentId": id}));
    let stage = "Active stages pointing to this deployment must be moved or deleted";
    assert_eq!(delete(&first).await.expect_err("served"), bad(stage));
    let canary = "Active stages with canary settings pointing to this deployment must be moved or deleted";
    assert_eq!(delete(&second).await.expect_err("served to some"), bad(canary));
    bed.patch_stage(&api, "dev", json!([patch("remove", "/canarySettings", "")])).await.expect("taken away");
    assert_eq!(delete(&second).await.expect("free").0, 202);
    bed.ok("DeleteStage", json!({"restApiId": api, "stageName": "dev"})).await;
    assert_eq!(delete(&first).await.expect("free").0, 202);
}

/// Everything but the stage is frozen: what is edited stays unseen until the next deployment.
#[tokio::test]
async fn edits_stay_invisible_until_the_next_deployment() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let status = || {
        let snapshot = bed.store.snapshot();
        let deployment = &snapshot.stage(&api, "dev").expect("a stage").base.deployment;
        let resource = deployment.router.find("/").expect("the root").value;
        let pitbird_snapshot::Integration::Mock(mock) = &resource.method("GET").expect("GET").integration
        else {
            panic!("no mock")
        };
        let routes = deployment.router.len();
        (mock.answer(None).map(|answer| answer.body.clone()), routes, deployment.binary_media_types.clone())
    };
    let before = status();
    let response = json!({"statusCode": "200", "responseTemplates": {"application/json": "new"}});
    bed.ok("PutIntegrationResponse", with(&at(&api, &root, "GET"), response)).await;
    let pets =
        bed.ok("CreateResource", json!({"restApiId": api, "parentId": root, "pathPart": "pets"})).await;
    bed.mock_method(&api, &text(&pets["id"]), "GET").await;
    let operations = json!([{"op": "add", "path": "/binaryMediaTypes/image~1png"}]);
    bed.ok("UpdateRestApi", json!({"restApiId": api, "patchOperations": operations})).await;
    assert_eq!(status(), before);
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    assert_eq!(status(), (Ok("new".into()), 2, vec!["image/png".to_owned()]));
}

/// Rolling back a whole deployment is one patch: pictures don't go away.
#[tokio::test]
async fn a_stage_can_go_back_to_an_older_deployment() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let first = bed.deploy(&api, json!({"stageName": "dev"})).await;
    bed.ok("DeleteMethod", at(&api, &root, "GET")).await;
    bed.mock_method(&api, &root, "POST").await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let back = json!([patch("replace", "/deploymentId", &first)]);
    bed.patch_stage(&api, "dev", back).await.expect("moved back");
    let snapshot = bed.store.snapshot();
    let base = &snapshot.stage(&api, "dev").expect("a stage").base;
    let resource = base.deployment.router.find("/").expect("the root").value;
    assert!(resource.method("GET").is_some() && resource.method("POST").is_none());
}
