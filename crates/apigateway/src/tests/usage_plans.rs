use super::*;

async fn key(bed: &Bed, name: &str) -> String {
    text(&bed.ok("CreateApiKey", json!({"name": name, "enabled": true})).await["id"])
}

#[tokio::test]
async fn a_key_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let (status, made) =
        bed.told("CreateApiKey", json!({"name": "k", "tags": {"a": "1"}})).await.expect("made");
    let (id, value) = (text(&made["id"]), text(&made["value"]));
    assert_eq!((status, id.len(), value.len()), (201, 10, 40));
    let told = json!({
        "id": id, "name": "k", "enabled": false, "createdDate": made["createdDate"],
        "lastUpdatedDate": made["createdDate"], "stageKeys": [], "tags": {"a": "1"},
    });
    assert_eq!(made, with(&told, json!({"value": value})));
    assert_eq!(bed.ok("GetApiKey", json!({"apiKey": id})).await, told);
    assert_eq!(bed.ok("GetApiKey", json!({"apiKey": id, "includeValue": true})).await, made);
    let operations = json!([
        patch("replace", "/enabled", "true"),
        patch("replace", "/description", "d"),
        patch("replace", "/customerId", "c"),
    ]);
    let changed = bed.ok("UpdateApiKey", json!({"apiKey": id, "patchOperations": operations})).await;
    assert_eq!(
        (&changed["enabled"], &changed["description"], &changed["customerId"]),
        (&json!(true), &json!("d"), &json!("c"))
    );
    assert!(changed["lastUpdatedDate"].as_f64() > told["lastUpdatedDate"].as_f64());
    let refused = bed.run("CreateApiKey", json!({"value": value})).await.expect_err("taken");
    assert_eq!(refused, conflict("API Key already exists"));
    let refused = bed.run("CreateApiKey", json!({"value": "short"})).await.expect_err("short");
    assert_eq!(refused, bad("API Key value should be at least 20 characters"));
    let old = json!({"stageKeys": [{"restApiId": "a", "stageName": "b"}]});
    assert_eq!(bed.run("CreateApiKey", old).await.expect_err("older"), unsupported("stageKeys"));
    assert_eq!(bed.told("DeleteApiKey", json!({"apiKey": id})).await.expect("deleted"), (202, Json::Null));
    for operation in ["GetApiKey", "DeleteApiKey", "UpdateApiKey"] {
        let refused = bed.run(operation, json!({"apiKey": id})).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid API Key identifier specified"));
    }
}

#[tokio::test]
async fn keys_are_found_by_name_and_customer() {
    let bed = Bed::new();
    for (name, customer) in [("alpha", "one"), ("alpine", "two"), ("beta", "one")] {
        bed.ok("CreateApiKey", json!({"name": name, "customerId": customer, "generateDistinctId": true}))
            .await;
    }
    for (query, count) in [
        (json!({}), 3),
        (json!({"nameQuery": "alp"}), 2),
        (json!({"customerId": "one"}), 2),
        (json!({"nameQuery": "alp", "customerId": "one"}), 1),
        (json!({"limit": 2}), 2),
    ] {
        let keys = bed.ok("GetApiKeys", query).await;
        let keys = keys["item"].as_array().expect("items");
        assert_eq!(keys.len(), count);
        assert!(keys.iter().all(|key| key.get("value").is_none()));
    }
    let keys = bed.ok("GetApiKeys", json!({"includeValues": true})).await;
    assert!(keys["item"].as_array().expect("items").iter().all(|key| key["value"].is_string()));
}

#[tokio::test]
async fn keys_are_imported_line_by_line() {
    let bed = Bed::new();
    let plan = text(&bed.ok("CreateUsagePlan", json!({"name": "p"})).await["id"]);
    let good = "a".repeat(20);
    let file = format!("Name,key,enabled,usageplanIds\nA,{good},TRUE,{plan}\nB,short,true,\n");
    let import = |more: Json| with(&json!({"format": "csv", "body": file}), more);
    let refused = bed.run("ImportApiKeys", import(json!({"failOnWarnings": true}))).await;
    let refused = refused.expect_err("a line is bad");
    let message = "Failed to import API keys: line 3: API Key value should be at least 20 characters";
    assert_eq!(refused, bad(message));
    assert_eq!(bed.ok("GetApiKeys", json!({})).await, json!({"item": []}), "all or nothing");
    let (status, output) = bed.told("ImportApiKeys", import(json!({}))).await.expect("imported");
    assert_eq!((status, output["ids"].as_array().map(Vec::len)), (201, Some(1)));
    assert_eq!(output["warnings"], json!(["line 3: API Key value should be at least 20 characters"]));
    let keys = bed.ok("GetUsagePlanKeys", json!({"usagePlanId": plan})).await;
    assert_eq!((&keys["item"][0]["id"], &keys["item"][0]["value"]), (&output["ids"][0], &json!(good)));
}

#[tokio::test]
async fn a_plan_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let asked = json!({
        "name": "plan", "description": "d", "throttle": {"burstLimit": 5, "rateLimit": 10.0},
        "apiStages": [{"apiId": api, "stage": "dev", "throttle": {"/x/GET": {"burstLimit": 1, "rateLimit": 2.0}}}],
        "quota": {"limit": 100, "offset": 2, "period": "WEEK"}, "tags": {"a": "1"},
    });
    let (status, made) = bed.told("CreateUsagePlan", asked.clone()).await.expect("made");
    let at = json!({"usagePlanId": made["id"]});
    assert_eq!((status, &made), (201, &with(&asked, json!({"id": made["id"]}))));
    assert_eq!(bed.ok("GetUsagePlan", at.clone()).await, made);
    assert_eq!(bed.ok("GetUsagePlans", json!({})).await, json!({"item": [made]}));
    let stage = format!("{api}:dev");
    let limit = format!("/apiStages/{stage}/throttle//y/GET/rateLimit");
    let operations = json!([
        patch("replace", "/name", "other"),
        patch("replace", "/throttle/rateLimit", "1.5"),
        patch("replace", &limit, "7"),
        patch("remove", "/quota", ""),
    ]);
    let changed = bed.ok("UpdateUsagePlan", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!(
        (&changed["name"], &changed["throttle"]["rateLimit"], changed.get("quota")),
        (&json!("other"), &json!(1.5), None)
    );
    assert_eq!(changed["apiStages"][0]["throttle"]["/y/GET"], json!({"burstLimit": 0, "rateLimit": 7.0}));
    let message = format!(
        "Cannot delete Usage Plan {} because there are API Stages associated with it, including {stage}",
        text(&made["id"])
    );
    assert_eq!(bed.run("DeleteUsagePlan", at.clone()).await.expect_err("in use"), bad(message));
    let free = json!([{"op": "remove", "path": "/apiStages", "value": stage}]);
    let changed = bed.ok("UpdateUsagePlan", with(&at, json!({"patchOperations": free}))).await;
    assert_eq!(changed["apiStages"], json!([]));
    assert_eq!(bed.told("DeleteUsagePlan", at.clone()).await.expect("deleted"), (202, Json::Null));
    for operation in ["GetUsagePlan", "UpdateUsagePlan", "DeleteUsagePlan", "GetUsagePlanKeys"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Usage Plan ID specified"));
    }
    let nowhere = json!({"name": "p", "apiStages": [{"apiId": api, "stage": "none"}]});
    let refused = bed.run("CreateUsagePlan", nowhere).await.expect_err("no stage");
    assert_eq!((refused.status, refused.code.as_str()), (404, "NotFoundException"));
}

#[tokio::test]
async fn for_one_stage_a_key_has_one_plan() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let stages = json!([{"apiId": api, "stage": "dev"}]);
    let one = text(&bed.ok("CreateUsagePlan", json!({"name": "one", "apiStages": stages})).await["id"]);
    let two = text(&bed.ok("CreateUsagePlan", json!({"name": "two"})).await["id"]);
    let key = key(&bed, "k").await;
    let place = |plan: &str| json!({"usagePlanId": plan, "keyId": key, "keyType": "API_KEY"});
    let (status, made) = bed.told("CreateUsagePlanKey", place(&one)).await.expect("made");
    assert_eq!(
        (status, &made["id"], &made["type"], &made["name"]),
        (201, &json!(key), &json!("API_KEY"), &json!("k"))
    );
    let refused = bed.run("CreateUsagePlanKey", place(&one)).await.expect_err("twice");
    assert_eq!(refused.code, "ConflictException");
    bed.ok("CreateUsagePlanKey", place(&two)).await;
    let both = bed.ok("GetUsagePlans", json!({"keyId": key})).await;
    assert_eq!(both["item"].as_array().map(Vec::len), Some(2));
    let operations = json!([patch("add", "/apiStages", &format!("{api}:dev"))]);
    let refused =
        bed.run("UpdateUsagePlan", json!({"usagePlanId": two, "patchOperations": operations})).await;
    let message = format!(
        "Usage Plan {two} cannot be added because API Key {key} cannot reference multiple Usage Plans with the same API \
         Stage: {api}:dev"
    );
    assert_eq!(refused.expect_err("two plans"), conflict(message));
    let at = json!({"usagePlanId": one, "keyId": key});
    assert_eq!(bed.ok("GetUsagePlanKey", at.clone()).await, made);
    assert_eq!(bed.told("DeleteUsagePlanKey", at.clone()).await.expect("out").0, 202);
    for operation in ["GetUsagePlanKey", "DeleteUsagePlanKey"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Usage Plan Key identifier specified"));
    }
    bed.ok("DeleteApiKey", json!({"apiKey": key})).await;
    assert_eq!(bed.ok("GetUsagePlanKeys", json!({"usagePlanId": two})).await, json!({"item": []}));
}

#[tokio::test]
async fn a_deleted_stage_leaves_its_plans() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    bed.deploy(&api, json!({"stageName": "prod"})).await;
    let stages = json!([{"apiId": api, "stage": "dev"}, {"apiId": api, "stage": "prod"}]);
    let plan = text(&bed.ok("CreateUsagePlan", json!({"name": "p", "apiStages": stages})).await["id"]);
    let left = async || bed.ok("GetUsagePlan", json!({"usagePlanId": plan})).await["apiStages"].clone();
    bed.ok("DeleteStage", json!({"restApiId": api, "stageName": "dev"})).await;
    assert_eq!(left().await, json!([{"apiId": api, "stage": "prod"}]));
    bed.ok("DeleteRestApi", json!({"restApiId": api})).await;
    assert_eq!(left().await, json!([]));
}

#[tokio::test]
async fn usage_is_told_by_days_and_granted() {
    let bed = Bed::new();
    let quota = json!({"limit": 10, "period": "MONTH"});
    let plan = text(&bed.ok("CreateUsagePlan", json!({"name": "p", "quota": quota})).await["id"]);
    let key = key(&bed, "k").await;
    let at = json!({"usagePlanId": plan, "keyId": key});
    bed.ok("CreateUsagePlanKey", with(&at, json!({"keyType": "API_KEY"}))).await;
    let usage = pitbird_records::Usage {
        scope: bed.caller.scope.clone(),
        plan_id: plan.clone(),
        key_id: key.clone(),
        day: "2020-09-13".to_owned(),
        used: 3,
        remaining: Some(7),
        grant: None,
    };
    let write = move |tx: &mut pitbird_store::Transaction<'_>| tx.put(&usage).map(|_| ());
    bed.store.write(write).await.expect("written");
    let range = json!({"usagePlanId": plan, "startDate": "2020-09-12", "endDate": "2020-09-14"});
    let told = bed.ok("GetUsage", range.clone()).await;
    // Over the wire the days stand under `values`.
    assert_eq!(told["values"], json!({(&*key): [[0, 10], [3, 7], [0, 7]]}));
    assert_eq!((&told["startDate"], &told["usagePlanId"]), (&json!("2020-09-12"), &json!(plan)));
    let more = json!([patch("replace", "/remaining", "50")]);
    let granted = bed.ok("UpdateUsage", with(&at, json!({"patchOperations": more}))).await;
    assert_eq!(granted["values"], json!({(&*key): [[3, 50]]}));
    let told = bed.ok("GetUsage", range.clone()).await;
    assert_eq!(told["values"], json!({(&*key): [[0, 10], [3, 50], [0, 50]]}), "at once");
    let grants = bed.store.list::<pitbird_records::UsageGrant>("").expect("a read");
    assert_eq!((grants[0].record.remaining, grants[0].record.since.as_str()), (50, "2020-09-13"));
    for (operation, input) in [
        ("GetUsage", with(&range, json!({"startDate": "yesterday"}))),
        ("GetUsage", with(&range, json!({"endDate": "2020-09-11"}))),
        ("UpdateUsage", with(&at, json!({"patchOperations": [patch("replace", "/used", "1")]}))),
        ("UpdateUsage", with(&at, json!({"patchOperations": [patch("replace", "/remaining", "-1")]}))),
    ] {
        assert_eq!(bed.run(operation, input).await.expect_err(operation).code, "BadRequestException");
    }
}
