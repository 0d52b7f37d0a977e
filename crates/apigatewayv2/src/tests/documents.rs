//! Documents that others wrote, through the operations: imported, served, exported, imported again.

use pitbird_testkit::{DOCUMENTS, operations, with_integrations};

use super::*;

fn backend() -> Json {
    json!({
        "type": "http_proxy", "httpMethod": "ANY", "uri": "https://a.example", "payloadFormatVersion": "1.0",
    })
}

async fn exported(bed: &Bed, api: &str) -> Json {
    let asked = json!({"ApiId": api, "Specification": "OAS30", "OutputType": "JSON"});
    let document = bed.ok("ExportApi", asked).await;
    serde_json::from_str(&document.to_string().replace(api, "API")).expect("JSON")
}

#[tokio::test]
async fn documents_of_others_are_imported_served_and_exported() {
    let bed = Bed::new();
    for (name, document) in DOCUMENTS {
        let tree = pitbird_openapi::text::parse(document.as_bytes()).expect(name);
        let mut tree = with_integrations(tree, &backend());
        let imported = bed.run("ImportApi", json!({"Body": tree.to_string()})).await;
        if tree.get("swagger").is_some() {
            let refused = imported.expect_err(name);
            assert_eq!(refused, bad("HTTP APIs are imported from OpenAPI 3.0 only"));
            continue;
        }
        let made = imported.unwrap_or_else(|refused| panic!("{name}: {refused:?}"));
        let api = text(&made["apiId"]);
        bed.ok("CreateStage", json!({"ApiId": api, "StageName": "$default", "AutoDeploy": true})).await;
        let snapshot = bed.store.snapshot();
        let stage = &snapshot.http_api(&api).expect(name).stages["$default"];
        for (path, verb, _) in operations(&mut tree) {
            let (verb, asked) = (verb.to_ascii_uppercase(), path.replace('{', "a").replace('}', "z"));
            let found = stage.deployment.route(&verb, &asked);
            let found = found.unwrap_or_else(|| panic!("{name}: nothing serves {verb} {asked}"));
            assert_eq!(found.route.key, format!("{verb} {path}"), "{name}");
        }
        let left_out = made.get("importInfo").and_then(Json::as_array).map_or(0, Vec::len);
        // Its ways to sign in are no authorizers.
        assert_eq!(left_out, if name == "petstore" { 2 } else { 0 }, "{name}");
        let first = exported(&bed, &api).await;
        let other = bed.ok("ImportApi", json!({"Body": first.to_string()})).await;
        assert_eq!(exported(&bed, &text(&other["apiId"])).await, first, "{name}");
    }
}
