//! What unmodified tools send, call by call.

use super::*;

/// The calls of Terraform's AWS provider 5.100 for an API with a canary on its stage, as recorded: create, read, a step of
/// the canary, destroy.
#[tokio::test]
async fn terraforms_flow_passes() {
    let bed = Bed::new();
    let role = patch("replace", "/cloudwatchRoleArn", "arn:aws:iam::000000000000:role/logs");
    bed.ok("UpdateAccount", json!({"patchOperations": [role]})).await;
    let api = bed
        .ok("CreateRestApi", json!({"name": "pets", "endpointConfiguration": {"types": ["REGIONAL"]}}))
        .await;
    let id = text(&api["id"]);
    let resources = bed.ok("GetResources", json!({"restApiId": id, "limit": 500})).await;
    let root = text(&resources["item"][0]["id"]);
    let resource = json!({"restApiId": id, "parentId": root, "pathPart": "pets"});
    let resource = text(&bed.ok("CreateResource", resource).await["id"]);
    let at = at(&id, &resource, "GET");
    bed.ok("PutMethod", with(&at, json!({"authorizationType": "NONE", "apiKeyRequired": false}))).await;
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:\
               function:pets:${stageVariables.alias}/invocations";
    let integration = json!({
        "type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri, "connectionType": "INTERNET",
        "timeoutInMillis": 29000,
    });
    bed.ok("PutIntegration", with(&at, integration)).await;
    let read = bed.ok("GetIntegration", at.clone()).await;
    assert_eq!((&read["cacheNamespace"], &read["cacheKeyParameters"]), (&json!(resource), &json!([])));
    let bare = json!({"description": "", "variables": {}});
    let (first, second) = (bed.deploy(&id, bare.clone()).await, bed.deploy(&id, bare).await);
    let canary = json!({
        "percentTraffic": 10.0, "useStageCache": false, "deploymentId": second,
        "stageVariableOverrides": {"alias": "canary"},
    });
    let stage = json!({
        "restApiId": id, "stageName": "prod", "deploymentId": first, "canarySettings": canary,
        "variables": {"alias": "live"},
    });
    bed.ok("CreateStage", stage).await;
    // Creating a stage with access logs sends all of it once more.
    let operations = json!([
        patch("replace", "/canarySettings/percentTraffic", "10.000000"),
        patch("replace", "/canarySettings/stageVariableOverrides/alias", "canary"),
        patch("replace", "/canarySettings/useStageCache", "false"),
        patch("replace", "/deploymentId", &first),
        patch("replace", "/canarySettings/deploymentId", &second),
        patch("replace", "/variables/alias", "live"),
        patch(
            "replace",
            "/accessLogSettings/destinationArn",
            "arn:aws:logs:us-east-1:000000000000:log-group:access"
        ),
        patch("replace", "/accessLogSettings/format", "{\"requestId\":\"$context.requestId\"}"),
    ]);
    let stage = bed.patch_stage(&id, "prod", operations).await.expect("as it is");
    assert_eq!(stage["canarySettings"], canary);
    let operations = json!([
        patch("replace", "/*/*/metrics/enabled", "true"),
        patch("replace", "/*/*/logging/loglevel", "INFO"),
        patch("replace", "/*/*/logging/dataTrace", "false"),
        patch("replace", "/*/*/throttling/burstLimit", "-1"),
        patch("replace", "/*/*/throttling/rateLimit", "-1.000000"),
    ]);
    let stage = bed.patch_stage(&id, "prod", operations).await.expect("method settings");
    let settings = &stage["methodSettings"]["*/*"];
    assert_eq!(
        (&settings["throttlingBurstLimit"], &settings["throttlingRateLimit"]),
        (&json!(-1), &json!(-1.0))
    );
    let step = json!([patch("replace", "/canarySettings/percentTraffic", "50.000000")]);
    let stage = bed.patch_stage(&id, "prod", step).await.expect("a step");
    assert_eq!(stage["canarySettings"]["percentTraffic"], 50.0);
    bed.patch_stage(&id, "prod", json!([patch("remove", "/*/*", "")]))
        .await
        .expect("method settings go first");
    bed.ok("DeleteStage", json!({"restApiId": id, "stageName": "prod"})).await;
    for deployment in [first, second] {
        bed.ok("DeleteDeployment", json!({"restApiId": id, "deploymentId": deployment})).await;
    }
    bed.ok("DeleteIntegration", at.clone()).await;
    bed.ok("DeleteMethod", at).await;
    bed.ok("DeleteResource", json!({"restApiId": id, "resourceId": resource})).await;
    bed.ok("DeleteRestApi", json!({"restApiId": id})).await;
}

/// What Terraform's AWS provider 5.100 patches when the arguments of its other resources change; with it a second plan
/// was empty.
#[tokio::test]
async fn terraforms_changes_pass() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let stage = json!([{
        "apiId": api, "stage": "dev", "throttle": {"/x/GET": {"burstLimit": 1, "rateLimit": 1.5}},
    }]);
    let plan = json!({
        "name": "p", "apiStages": stage, "quota": {"limit": 20, "offset": 2, "period": "WEEK"},
        "throttle": {"burstLimit": 5, "rateLimit": 10.0},
    });
    let plan = bed.ok("CreateUsagePlan", plan).await;
    // A stage's limits change by taking it out of the plan and putting it in again.
    let named = format!("{api}:dev");
    let limits = format!("/apiStages/{named}/throttle//x/GET");
    let operations = json!([
        patch("replace", "/name", "p2"),
        {"op": "remove", "path": "/apiStages", "value": named},
        patch("add", "/apiStages", &named),
        patch("replace", &format!("{limits}/rateLimit"), "1.500000"),
        patch("replace", &format!("{limits}/burstLimit"), "2"),
        patch("replace", "/throttle/rateLimit", "10.000000"),
        patch("replace", "/throttle/burstLimit", "6"),
        patch("remove", "/quota", ""),
    ]);
    let changed =
        bed.ok("UpdateUsagePlan", json!({"usagePlanId": plan["id"], "patchOperations": operations})).await;
    let expected = json!({
        "id": plan["id"], "name": "p2", "throttle": {"burstLimit": 6, "rateLimit": 10.0},
        "apiStages": [{"apiId": api, "stage": "dev", "throttle": {"/x/GET": {"burstLimit": 2, "rateLimit": 1.5}}}],
    });
    assert_eq!(changed, expected);
    let settings = json!([
        patch("replace", "/~1x/GET/throttling/burstLimit", "3"),
        patch("replace", "/*/*/caching/ttlInSeconds", "60"),
        patch("replace", "/*/*/throttling/rateLimit", "5.500000"),
        patch("replace", "/*/*/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),
        patch("replace", "/cacheClusterEnabled", "true"),
        patch("replace", "/cacheClusterSize", "0.5"),
    ]);
    let stage = bed.patch_stage(&api, "dev", settings).await.expect("settings");
    let all = &stage["methodSettings"]["*/*"];
    assert_eq!((&all["cacheTtlInSeconds"], &all["throttlingRateLimit"]), (&json!(60), &json!(5.5)));
    let account = json!([patch("replace", "/cloudwatchRoleArn", "")]);
    let account = bed.ok("UpdateAccount", json!({"patchOperations": account})).await;
    assert_eq!(account.get("cloudwatchRoleArn"), None);
}
