use super::*;

#[tokio::test]
async fn a_part_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let own = json!({"restApiId": api});
    let put = with(
        &own,
        json!({"location": {"type": "METHOD", "path": "/pets", "method": "GET"}, "properties": "{\"a\": 1}"}),
    );
    let (status, made) = bed.told("CreateDocumentationPart", put.clone()).await.expect("made");
    let location = json!({"type": "METHOD", "path": "/pets", "method": "GET"});
    let plain = json!({"id": made["id"], "location": location, "properties": "{\"a\": 1}"});
    assert_eq!((status, &made, text(&made["id"]).len()), (201, &plain, 6));
    let refused = bed.run("CreateDocumentationPart", put).await.expect_err("twice");
    let twice = "Documentation part already exists for the specified location: type 'METHOD'";
    assert_eq!(refused, conflict(twice));
    let at = with(&own, json!({"documentationPartId": made["id"]}));
    let operations = json!([patch("replace", "/properties", "{}")]);
    let changed = bed.ok("UpdateDocumentationPart", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!(changed, with(&plain, json!({"properties": "{}"})));
    assert_eq!(bed.ok("GetDocumentationPart", at.clone()).await, changed);
    for (query, count) in [
        (json!({}), 1),
        (json!({"type": "METHOD", "path": "/pets"}), 1),
        (json!({"type": "API"}), 0),
        (json!({"path": "/"}), 0),
        (json!({"nameQuery": "x"}), 0),
    ] {
        let parts = bed.ok("GetDocumentationParts", with(&own, query)).await;
        assert_eq!(parts["item"].as_array().map(Vec::len), Some(count));
    }
    for (op, path, message) in [
        (
            "add",
            "/properties",
            "Invalid patch path  '/properties' specified for op 'add'. Please choose supported operations",
        ),
        (
            "replace",
            "/location",
            "Invalid patch path  '/location' specified for op 'replace'. Must be one of: [/properties]",
        ),
        ("replace", "/properties", "Documentation part properties must be non-empty"),
    ] {
        let input = with(&at, json!({"patchOperations": [patch(op, path, "")]}));
        assert_eq!(bed.run("UpdateDocumentationPart", input).await.expect_err(path), bad(message));
    }
    assert_eq!(bed.told("DeleteDocumentationPart", at.clone()).await.expect("deleted"), (202, Json::Null));
    for operation in ["GetDocumentationPart", "UpdateDocumentationPart", "DeleteDocumentationPart"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Documentation part identifier specified"));
    }
}

#[tokio::test]
async fn a_version_freezes_what_is_written() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let own = json!({"restApiId": api});
    let put = with(&own, json!({"documentationVersion": "1.0", "stageName": "dev", "description": "d"}));
    let (status, made) = bed.told("CreateDocumentationVersion", put.clone()).await.expect("made");
    let plain = json!({"version": "1.0", "createdDate": made["createdDate"], "description": "d"});
    assert_eq!((status, &made), (201, &plain));
    assert_eq!(bed.stage(&api, "dev").await["documentationVersion"], "1.0");
    let refused = bed.run("CreateDocumentationVersion", put).await.expect_err("twice");
    assert_eq!(refused, conflict("Documentation version already exists"));
    let at = with(&own, json!({"documentationVersion": "1.0"}));
    let operations = json!([patch("replace", "/description", "e")]);
    let input = with(&at, json!({"patchOperations": operations}));
    let changed = bed.ok("UpdateDocumentationVersion", input).await;
    assert_eq!(changed, with(&plain, json!({"description": "e"})));
    assert_eq!(bed.ok("GetDocumentationVersion", at.clone()).await, changed);
    assert_eq!(bed.ok("GetDocumentationVersions", own).await, json!({"item": [changed]}));
    assert!(bed.run("DeleteDocumentationVersion", at.clone()).await.is_err(), "a stage shows it");
    let hide = json!([patch("replace", "/documentationVersion", "")]);
    bed.patch_stage(&api, "dev", hide).await.expect("hidden");
    assert_eq!(bed.told("DeleteDocumentationVersion", at.clone()).await.expect("deleted").0, 202);
    let refused = bed.run("GetDocumentationVersion", at).await.expect_err("gone");
    assert_eq!(refused, missing("Invalid Documentation version specified"));
}

#[tokio::test]
async fn parts_are_imported_beside_or_instead() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let import = async |parts: Json, more: Json| {
        let parts = json!({"documentationParts": parts});
        let body = json!({"swagger": "2.0", "x-amazon-apigateway-documentation": parts}).to_string();
        bed.run("ImportDocumentationParts", with(&json!({"restApiId": api, "body": body}), more)).await
    };
    let count = async || {
        let parts = bed.ok("GetDocumentationParts", json!({"restApiId": api})).await;
        parts["item"].as_array().map(Vec::len)
    };
    let part =
        |path: &str| json!({"location": {"type": "RESOURCE", "path": path}, "properties": {"a": path}});
    let first = import(json!([part("/a"), part("/b")]), json!({"mode": "merge"})).await.expect("two");
    assert_eq!((first["ids"].as_array().map(Vec::len), count().await), (Some(2), Some(2)));
    let again = import(json!([part("/a"), part("/c")]), json!({})).await.expect("one more");
    assert_eq!((&again["ids"][0], count().await), (&first["ids"][0], Some(3)));
    let wrong = json!([part("/d"), {"location": {"type": "MODEL"}, "properties": {}}]);
    assert!(import(wrong.clone(), json!({"failOnWarnings": true})).await.is_err());
    assert_eq!(count().await, Some(3), "all or nothing");
    let warned = import(wrong, json!({"mode": "overwrite"})).await.expect("one");
    assert_eq!((warned["warnings"].as_array().map(Vec::len), count().await), (Some(1), Some(1)));
}

#[tokio::test]
async fn what_is_no_document_takes_no_part_away() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let own = json!({"restApiId": api});
    bed.ok("CreateDocumentationPart", with(&own, json!({"location": {"type": "API"}, "properties": "{}"})))
        .await;
    let broken = r#"{"swagger": "2.0", "x-amazon-apigateway-documentation": "#;
    let of_type = "Failed to import documentation parts: Parse issue: attribute x-amazon-apigateway-documentation is not of \
                   type `object`";
    let unread = "Failed to import documentation parts: Parse issue: attribute \
                  x-amazon-apigateway-documentation.documentationParts[0] has no location with a type, or no properties of \
                  type `object`";
    for (body, message) in [
        ("{}", "Invalid OpenAPI input."),
        (r#"{"foo": 1}"#, "Invalid OpenAPI input."),
        (r#"{"documentationParts": []}"#, "Invalid OpenAPI input."),
        (r#"{"x-amazon-apigateway-documentation": []}"#, "Invalid OpenAPI input."),
        ("[]", "Invalid OpenAPI input."),
        ("\"x\"", "Invalid OpenAPI input."),
        ("", "Invalid OpenAPI input."),
        (&format!("{broken}[]}}"), of_type),
        (&format!(r#"{broken}{{"documentationParts": [{{}}]}}}}"#), unread),
    ] {
        let input = with(&own, json!({"mode": "overwrite", "body": body}));
        assert_eq!(bed.run("ImportDocumentationParts", input).await.expect_err(body), bad(message));
        let parts = bed.ok("GetDocumentationParts", own.clone()).await;
        assert_eq!(parts["item"].as_array().map(Vec::len), Some(1), "{body}");
    }
}

#[tokio::test]
async fn an_export_tells_the_version_that_the_stage_shows() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let own = json!({"restApiId": api});
    let part = json!({"location": {"type": "API"}, "properties": "{\"info\": {\"description\": \"first\"}}"});
    let part = bed.ok("CreateDocumentationPart", with(&own, part)).await;
    let exported = async |parameters: Json| {
        let asked = json!({"stageName": "dev", "exportType": "oas30", "parameters": parameters});
        bed.ok("GetExport", with(&own, asked)).await
    };
    assert_eq!(exported(json!({})).await["x-amazon-apigateway-documentation"], Json::Null, "it shows none");
    bed.ok(
        "CreateDocumentationVersion",
        with(&own, json!({"documentationVersion": "1.0", "stageName": "dev"})),
    )
    .await;
    let second = json!([patch("replace", "/properties", "{\"info\": {\"description\": \"second\"}}")]);
    let update = json!({"documentationPartId": part["id"], "patchOperations": second});
    bed.ok("UpdateDocumentationPart", with(&own, update)).await;
    for parameters in [json!({}), json!({"extensions": "documentation,integrations"})] {
        let document = exported(parameters).await;
        let told = &document["x-amazon-apigateway-documentation"];
        assert_eq!((&told["version"], &document["info"]["description"]), (&json!("1.0"), &json!("first")));
        assert_eq!(told["documentationParts"][0]["location"], json!({"type": "API"}));
    }
}
