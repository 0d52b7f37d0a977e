//! Documents that others wrote, through the operations: imported, served, exported, imported again.

use pitbird_testkit::{DOCUMENTS, operations, with_integrations};

use super::*;

fn mock() -> Json {
    json!({
        "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200"}},
    })
}

/// What an API is made of, without the identifiers that another one made of the same has otherwise.
async fn told(bed: &Bed, api: &str) -> Vec<Json> {
    let mut all = Vec::new();
    for (operation, more) in [("GetResources", json!({"embed": ["methods"]})), ("GetModels", json!({}))] {
        let list = bed.ok(operation, with(&json!({"restApiId": api, "limit": 500}), more)).await;
        let mut items = list["item"].as_array().expect(operation).clone();
        items.sort_by_key(|item| item["path"].as_str().or(item["name"].as_str()).map(str::to_owned));
        for item in &mut items {
            let members = item.as_object_mut().expect("an object");
            let id = text(&members.remove("id").expect("an id"));
            members.remove("parentId");
            let plain = item.to_string().replace(&id, "ID").replace(api, "API");
            all.push(serde_json::from_str::<Json>(&plain).expect("JSON"));
        }
    }
    all
}

#[tokio::test]
async fn documents_of_others_are_imported_served_and_exported() {
    let bed = Bed::new();
    for (name, document) in DOCUMENTS {
        let tree = pitbird_openapi::text::parse(document.as_bytes()).expect(name);
        let mut tree = with_integrations(tree, &mock());
        let imported = bed.run("ImportRestApi", json!({"body": tree.to_string()})).await;
        if name == "github" {
            // Its schemas have names such as basic-error.
            let refused = imported.expect_err(name);
            assert_eq!((refused.status, refused.code.as_str()), (400, "BadRequestException"));
            assert!(
                refused.message.contains("Model name must be alphanumeric: basic-error"),
                "{}",
                refused.message
            );
            continue;
        }
        let made = imported.unwrap_or_else(|refused| panic!("{name}: {refused:?}"));
        for warning in made["warnings"].as_array().into_iter().flatten() {
            assert!(text(warning).ends_with(" Ignoring."), "{name}: {warning}");
        }
        let api = text(&made["id"]);
        bed.deploy(&api, json!({"stageName": "dev"})).await;
        let snapshot = bed.store.snapshot();
        let stage = snapshot.stage(&api, "dev").expect(name);
        for (path, verb, _) in operations(&mut tree) {
            let verb = verb.to_ascii_uppercase();
            let asked = path.replace('{', "a").replace('}', "z");
            let found = stage.base.deployment.router.find_where(&asked, |it| it.method(&verb).is_some());
            let found = found.unwrap_or_else(|| panic!("{name}: nothing serves {verb} {asked}"));
            assert_eq!(found.value.path, path, "{name} {verb}");
        }
        let export = json!({
            "restApiId": api, "stageName": "dev", "exportType": "oas30", "parameters": {"extensions": "apigateway"},
        });
        let exported = bed.ok("GetExport", export).await;
        let other = bed.ok("ImportRestApi", json!({"body": exported.to_string()})).await;
        assert_eq!(other["warnings"], Json::Null, "{name}");
        let (one, two) = (told(&bed, &api).await, told(&bed, &text(&other["id"])).await);
        assert_eq!(one.len(), two.len(), "{name}");
        for (one, two) in one.iter().zip(&two) {
            assert_eq!(one, two, "{name}");
        }
    }
}
