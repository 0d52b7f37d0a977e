use super::*;

#[tokio::test]
async fn a_stage_that_deploys_itself_follows_each_change() {
    let bed = Bed::new();
    let api = bed.api().await;
    let stage =
        bed.ok("CreateStage", json!({"ApiId": api, "StageName": "$default", "AutoDeploy": true})).await;
    let failed = "Deployment attempt failed: Unable to deploy API because no routes exist in this API";
    assert_eq!((stage.get("deploymentId"), &stage["lastDeploymentStatusMessage"]), (None, &json!(failed)));
    let mut seen = Vec::new();
    let integration = bed.integration(&api).await;
    let route = text(&bed.route(&api, "GET /").await["routeId"]);
    seen.push(bed.stage(&api, "$default").await);
    let target = format!("integrations/{integration}");
    bed.ok("UpdateRoute", json!({"ApiId": api, "RouteId": route, "Target": target})).await;
    seen.push(bed.stage(&api, "$default").await);
    bed.ok("UpdateIntegration", json!({"ApiId": api, "IntegrationId": integration, "Description": "x"}))
        .await;
    seen.push(bed.stage(&api, "$default").await);
    bed.ok("UpdateApi", json!({"ApiId": api, "CorsConfiguration": {"AllowOrigins": ["*"]}})).await;
    seen.push(bed.stage(&api, "$default").await);
    let mut ids: Vec<String> = seen.iter().map(|stage| text(&stage["deploymentId"])).collect();
    let last = ids.last().expect("four").clone();
    let words = format!("Successfully deployed stage with deployment ID '{last}'");
    assert_eq!(seen[3]["lastDeploymentStatusMessage"], json!(words));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "each change is a deployment");
    let deployment = bed.ok("GetDeployment", json!({"ApiId": api, "DeploymentId": last})).await;
    let expected = json!({
        "autoDeployed": true, "createdDate": deployment["createdDate"], "deploymentId": last,
        "deploymentStatus": "DEPLOYED",
        "description": "Automatic deployment triggered by changes to the Api configuration",
    });
    assert_eq!(deployment, expected);
    // Without routes there is nothing to deploy: what was there goes on.
    bed.ok("DeleteRoute", json!({"ApiId": api, "RouteId": route})).await;
    let stage = bed.stage(&api, "$default").await;
    assert_eq!(
        (&stage["deploymentId"], &stage["lastDeploymentStatusMessage"]),
        (&json!(last), &json!(failed))
    );
    let byhand = json!({"ApiId": api, "StageName": "$default", "DeploymentId": last});
    let refused = bed.run("UpdateStage", byhand).await.expect_err("by itself");
    assert_eq!(refused, bad("Deployment ID cannot be set manually on a Stage with AutoDeploy enabled"));
    bed.route(&api, "GET /").await;
    let refused = bed.run("CreateDeployment", json!({"ApiId": api, "StageName": "$default"})).await;
    assert_eq!(refused.expect_err("by itself").status, 400);
}

#[tokio::test]
async fn automatic_deployments_dont_pile_up() {
    let bed = Bed::new();
    let api = bed.api().await;
    let byhand = {
        bed.route(&api, "GET /").await;
        text(&bed.ok("CreateDeployment", json!({"ApiId": api})).await["deploymentId"])
    };
    bed.ok("CreateStage", json!({"ApiId": api, "StageName": "a", "AutoDeploy": true})).await;
    let first = text(&bed.stage(&api, "a").await["deploymentId"]);
    for n in 0..40 {
        bed.route(&api, &format!("GET /{n}")).await;
    }
    let kept = bed.ok("GetDeployments", json!({"ApiId": api})).await;
    let ids: Vec<String> =
        kept["items"].as_array().expect("a list").iter().map(|kept| text(&kept["deploymentId"])).collect();
    assert_eq!(ids.len(), 27, "25 old ones, the one that is served, and the one made by hand");
    assert!(ids.contains(&byhand) && !ids.contains(&first));
}

#[tokio::test]
async fn a_deployment_by_hand_moves_the_stage_that_it_names() {
    let bed = Bed::new();
    let api = bed.api().await;
    let refused = bed.run("CreateDeployment", json!({"ApiId": api})).await.expect_err("no routes");
    assert_eq!(refused, bad("Unable to deploy API because no routes exist in this API"));
    bed.route(&api, "GET /").await;
    let input = json!({"ApiId": api, "StageName": "dev"});
    assert_eq!(bed.run("CreateDeployment", input.clone()).await.expect_err("no stage").status, 404);
    bed.ok("CreateStage", json!({"ApiId": api, "StageName": "dev"})).await;
    let (status, made) = bed.told("CreateDeployment", input).await.expect("a deployment");
    assert_eq!((status, &made["autoDeployed"]), (201, &json!(false)));
    assert_eq!(bed.stage(&api, "dev").await["deploymentId"], made["deploymentId"]);
    let gone = json!({"ApiId": api, "DeploymentId": made["deploymentId"]});
    let refused = bed.run("DeleteDeployment", gone.clone()).await.expect_err("in use");
    assert_eq!(refused.code, "BadRequestException");
    let update = with(&gone, json!({"Description": "first"}));
    assert_eq!(bed.ok("UpdateDeployment", update).await["description"], json!("first"));
    let other = bed.ok("CreateDeployment", json!({"ApiId": api})).await;
    let moved = json!({"ApiId": api, "StageName": "dev", "DeploymentId": other["deploymentId"]});
    bed.ok("UpdateStage", moved).await;
    assert_eq!(bed.told("DeleteDeployment", gone).await.expect("gone").0, 204);
    let unknown = json!({"ApiId": api, "StageName": "dev", "DeploymentId": "none"});
    assert_eq!(bed.run("UpdateStage", unknown).await.expect_err("none").status, 404);
}
