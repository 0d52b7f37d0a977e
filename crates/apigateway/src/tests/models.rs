use super::*;

#[tokio::test]
async fn a_new_api_has_two_models() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let models = bed.ok("GetModels", json!({"restApiId": api})).await;
    let names: Vec<_> = models["item"].as_array().expect("items").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["Empty", "Error"]);
    let empty = &models["item"][0];
    assert_eq!((text(&empty["id"]).len(), &empty["contentType"]), (6, &json!("application/json")));
    assert_eq!(empty["description"], "This is a default empty schema model");
    let error = bed.ok("GetModelTemplate", json!({"restApiId": api, "modelName": "Error"})).await;
    assert_eq!(error, json!({"value": "#set($inputRoot = $input.path('$'))\n{\n  \"message\" : \"foo\"\n}"}));
}

#[tokio::test]
async fn a_model_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let at = json!({"restApiId": api, "modelName": "Pet"});
    let put =
        json!({"restApiId": api, "name": "Pet", "contentType": "application/json", "schema": "{\"a\": 1}"});
    let (status, made) = bed.told("CreateModel", put.clone()).await.expect("made");
    let plain = json!({
        "id": made["id"], "name": "Pet", "contentType": "application/json", "schema": "{\"a\": 1}",
    });
    assert_eq!((status, &made), (201, &plain));
    assert_eq!(
        bed.run("CreateModel", put.clone()).await.expect_err("twice"),
        conflict("Model name already exists for this REST API")
    );
    let operations = json!([patch("replace", "/description", "d"), patch("replace", "/schema", "{}"),]);
    let changed = bed.ok("UpdateModel", with(&at, json!({"patchOperations": operations}))).await;
    assert_eq!(changed, with(&plain, json!({"description": "d", "schema": "{}"})));
    assert_eq!(bed.ok("GetModel", at.clone()).await, changed);
    for (op, path, value, message) in [
        (
            "add",
            "/schema",
            "{}",
            "Invalid patch path  '/schema' specified for op 'add'. Please choose supported operations",
        ),
        (
            "replace",
            "/name",
            "x",
            "Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]",
        ),
        ("replace", "/schema", "", "Model schema must have at least 1 property or array items defined"),
    ] {
        let input = with(&at, json!({"patchOperations": [patch(op, path, value)]}));
        assert_eq!(bed.run("UpdateModel", input).await.expect_err(path), bad(message));
    }
    assert_eq!(bed.told("DeleteModel", at.clone()).await.expect("deleted"), (202, Json::Null));
    for operation in ["GetModel", "DeleteModel", "UpdateModel", "GetModelTemplate"] {
        let refused = bed.run(operation, at.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid model name specified: Pet"));
        let nowhere = with(&at, json!({"restApiId": "nowhere"}));
        let refused = bed.run(operation, nowhere).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid API identifier specified 000000000000:nowhere"));
    }
    for (more, message) in [
        (json!({"name": ""}), "Model name must be non-empty"),
        (json!({"name": "a-b"}), "Model name must be alphanumeric: a-b"),
        (json!({"schema": null}), "Model schema must have at least 1 property or array items defined"),
    ] {
        assert_eq!(bed.run("CreateModel", with(&put, more)).await.expect_err(message), bad(message));
    }
}

#[tokio::test]
async fn a_schema_that_no_body_can_be_held_against_is_refused() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let (other, _) = bed.mock_api().await;
    let put = json!({"restApiId": api, "contentType": "application/json"});
    bed.ok("CreateModel", with(&put, json!({"name": "Old", "schema": "{}"}))).await;
    let to = |api: &str, name: &str| {
        format!("{{\"$ref\": \"https://apigateway.amazonaws.com/restapis/{api}/models/{name}\"}}")
    };
    let invalid = bad(
        "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
    );
    for (schema, refused) in [
        (r#"{"type": "foo"}"#, &invalid),
        (r#"{"properties": {"a": {"minLength": "x"}}}"#, &invalid),
        (r#"{"pattern": "("}"#, &invalid),
        (r#"{"$ref": "https://example.com/schema"}"#, &invalid),
        (r##"{"$ref": "#/definitions/none"}"##, &invalid),
        (&to(&api, "None"), &invalid),
        (&to(&other, "Empty"), &invalid),
        (r#"{"pattern": "^(?=a)"}"#, &unsupported("pattern ^(?=a)")),
        (r#"{"items": {"pattern": "(a)\\1"}}"#, &unsupported("pattern (a)\\1")),
        (r#"{"pattern": "\\p{L}"}"#, &unsupported("pattern \\p{L}")),
    ] {
        let create = with(&put, json!({"name": "New", "schema": schema}));
        assert_eq!(&bed.run("CreateModel", create).await.expect_err(schema), refused, "{schema}");
        let operations = json!([patch("replace", "/schema", schema)]);
        let update = json!({"restApiId": api, "modelName": "Old", "patchOperations": operations});
        assert_eq!(&bed.run("UpdateModel", update).await.expect_err(schema), refused, "{schema}");
    }
    let of_openapi = r#"{"type": "string", "nullable": true, "readOnly": true, "example": 1, "discriminator": {}, "xml": {}}"#;
    for (name, schema) in [("Words", of_openapi), ("Next", &to(&api, "Words")), ("Tree", &to(&api, "Tree"))] {
        bed.ok("CreateModel", with(&put, json!({"name": name, "schema": schema}))).await;
    }
    let circle = json!([patch("replace", "/schema", &to(&api, "Next"))]);
    bed.ok("UpdateModel", json!({"restApiId": api, "modelName": "Words", "patchOperations": circle})).await;
}

#[tokio::test]
async fn a_model_that_is_referred_to_stays() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let reference = format!("{{\"$ref\": \"https://apigateway.amazonaws.com/restapis/{api}/models/Leaf\"}}");
    for (name, schema) in [("Leaf", "{\"type\": \"string\"}"), ("Tree", &reference)] {
        let input = json!({"restApiId": api, "name": name, "contentType": "a/b", "schema": schema});
        bed.ok("CreateModel", input).await;
    }
    let tree = json!({"restApiId": api, "modelName": "Tree"});
    let flat = bed.ok("GetModel", with(&tree, json!({"flatten": true}))).await;
    let schema = "{\"$ref\":\"#/definitions/Leaf\",\"definitions\":{\"Leaf\":{\"type\":\"string\"}}}";
    assert_eq!(flat["schema"], schema);
    let get = at(&api, &root, "GET");
    let model = json!([patch("add", "/requestModels/a~1b", "Tree")]);
    bed.ok("UpdateMethod", with(&get, json!({"patchOperations": model}))).await;
    let refused = bed.run("DeleteModel", tree.clone()).await.expect_err("in use");
    assert_eq!(refused, conflict("Cannot delete model 'Tree', is referenced in method request: //GET"));
    let leaf = json!({"restApiId": api, "modelName": "Leaf"});
    let refused = bed.run("DeleteModel", leaf.clone()).await.expect_err("in use");
    assert_eq!(refused, conflict("Cannot delete model 'Leaf', is referenced in model: Tree"));
    let free = json!([{"op": "remove", "path": "/requestModels/a~1b"}]);
    bed.ok("UpdateMethod", with(&get, json!({"patchOperations": free}))).await;
    bed.ok("DeleteModel", tree).await;
    bed.ok("DeleteModel", leaf).await;
}

#[tokio::test]
async fn a_validator_is_made_read_changed_and_deleted() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let put = json!({"restApiId": api, "name": "body", "validateRequestBody": true});
    let (status, made) = bed.told("CreateRequestValidator", put).await.expect("made");
    let plain = json!({
        "id": made["id"], "name": "body", "validateRequestBody": true, "validateRequestParameters": false,
    });
    assert_eq!((status, &made, text(&made["id"]).len()), (201, &plain, 6));
    let at_validator = json!({"restApiId": api, "requestValidatorId": made["id"]});
    let operations = json!([
        patch("replace", "/validateRequestBody", "false"),
        patch("replace", "/validateRequestParameters", "true"),
    ]);
    let input = with(&at_validator, json!({"patchOperations": operations}));
    let changed = bed.ok("UpdateRequestValidator", input).await;
    let more = json!({"validateRequestBody": false, "validateRequestParameters": true});
    assert_eq!(changed, with(&plain, more));
    assert_eq!(bed.ok("GetRequestValidators", json!({"restApiId": api})).await, json!({"item": [changed]}));
    for (op, path, message) in [
        (
            "add",
            "/name",
            "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations",
        ),
        (
            "replace",
            "/id",
            "Invalid patch path  '/id' specified for op 'replace'. Must be one of: [/name, /validateRequestParameters, \
             /validateRequestBody]",
        ),
        ("replace", "/name", "Request Validator name cannot be blank"),
    ] {
        let input = with(&at_validator, json!({"patchOperations": [patch(op, path, "")]}));
        assert_eq!(bed.run("UpdateRequestValidator", input).await.expect_err(path), bad(message));
    }
    let get = at(&api, &root, "GET");
    let operations = json!([patch("replace", "/requestValidatorId", &text(&made["id"]))]);
    let method = bed.ok("UpdateMethod", with(&get, json!({"patchOperations": operations}))).await;
    assert_eq!(method["requestValidatorId"], made["id"]);
    let refused = bed.run("DeleteRequestValidator", at_validator.clone()).await.expect_err("in use");
    assert_eq!(refused.code, "ConflictException");
    bed.ok("DeleteMethod", get).await;
    let deleted = bed.told("DeleteRequestValidator", at_validator.clone()).await.expect("deleted");
    assert_eq!(deleted, (202, Json::Null));
    for operation in ["GetRequestValidator", "UpdateRequestValidator", "DeleteRequestValidator"] {
        let refused = bed.run(operation, at_validator.clone()).await.expect_err(operation);
        assert_eq!(refused, missing("Invalid Request Validator identifier specified"));
    }
    let refused = bed.run("CreateRequestValidator", json!({"restApiId": "nowhere"})).await;
    assert_eq!(refused.expect_err("no API"), bad("Invalid REST API identifier specified"));
}
