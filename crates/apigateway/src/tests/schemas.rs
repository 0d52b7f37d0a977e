//! Models that documents describe: what is said of their schemas, and what bodies meet.

use super::*;

const URL: &str = "https://apigateway.amazonaws.com/restapis";

/// A document that has these schemas, in both languages.
fn documents(schemas: &Json) -> [Json; 2] {
    let about = json!({"info": {"title": "a", "version": "1"}, "paths": {"/": {"get": {}}}});
    let components = json!({"openapi": "3.0.1", "components": {"schemas": schemas}});
    let components = components.to_string();
    let definitions = json!({"swagger": "2.0", "definitions": schemas}).to_string();
    let definitions = definitions.replace("#/components/schemas/", "#/definitions/");
    [components, definitions].map(|one| with(&about, serde_json::from_str(&one).expect("JSON")))
}

impl Bed {
    async fn warned(&self, document: &Json) -> (String, Vec<String>) {
        let api = self.ok("ImportRestApi", json!({"body": document.to_string()})).await;
        let warnings = api["warnings"].as_array().into_iter().flatten().map(text).collect();
        (text(&api["id"]), warnings)
    }

    async fn schema(&self, api: &str, name: &str) -> Json {
        let model = self.ok("GetModel", json!({"restApiId": api, "modelName": name})).await;
        serde_json::from_str(model["schema"].as_str().expect("a schema")).expect("JSON")
    }

    /// A method whose bodies are validated by a model.
    async fn validated_method(&self, api: &str, root: &str, verb: &str, model: &str) {
        self.mock_method(api, root, verb).await;
        let validator = json!({"restApiId": api, "name": verb, "validateRequestBody": true});
        let validator = text(&self.ok("CreateRequestValidator", validator).await["id"]);
        let operations = json!([
            patch("replace", "/requestValidatorId", &validator),
            patch("add", "/requestModels/application~1json", model),
        ]);
        self.ok("UpdateMethod", with(&at(api, root, verb), json!({"patchOperations": operations}))).await;
    }

    /// Does a body pass a served method's validator?
    fn passes(&self, api: &str, verb: &str, body: &Json) -> bool {
        let snapshot = self.store.snapshot();
        let stage = snapshot.stage(api, "dev").expect("a stage");
        let found = stage.base.deployment.router.find("/").expect("a root");
        let validation = found.value.method(verb).and_then(|method| method.validation.as_deref());
        validation.expect("a validator").check_body(None, body.to_string().as_bytes()).is_ok()
    }
}

#[tokio::test]
async fn an_imported_schema_that_cannot_be_applied_is_a_warning() {
    let bed = Bed::new();
    let other = "https://apigateway.amazonaws.com/restapis/other/models/A";
    for (schema, fault) in [
        (json!({"type": "foo"}), "type has a value that it can't have"),
        (json!({"pattern": "("}), "the regular expression ( can't be used"),
        (
            json!({"pattern": "\\p{L}"}),
            "the regular expression \\p{L} is not of the dialect that is read here",
        ),
        (json!({"$ref": other}), &format!("there is no schema at {other}")),
    ] {
        let later = json!({"properties": {"a": {"$ref": "#/components/schemas/A"}, "b": {"$ref": "#/components/schemas/B"}}});
        for document in documents(&json!({"A": schema, "B": later})) {
            let warning = format!(
                "Invalid schema of model 'A': {fault}. Bodies that are validated by it will be refused."
            );
            assert_eq!(bed.warned(&document).await.1, [warning.as_str()]);
            let strict = json!({"body": document.to_string(), "failOnWarnings": true});
            let refused = bed.run("ImportRestApi", strict).await.expect_err(fault);
            assert_eq!(refused, bad(format!("Warnings found during import:\n\t{warning}")));
        }
    }
    for document in documents(&json!({"A": {"items": {"pattern": "a(?!b)"}}})) {
        let refused = bed.run("ImportRestApi", json!({"body": document.to_string()})).await;
        assert_eq!(refused.expect_err("it looks around"), unsupported("pattern a(?!b)"));
    }
}

#[tokio::test]
async fn a_reference_to_nothing_is_left_out_with_a_warning() {
    let bed = Bed::new();
    let to = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let schemas = json!({"A": {"type": "object", "properties": {
        "known": to("B"), "none": to("Nope"), "part": to("B/properties/none"), "outside": {"$ref": "other.yaml#/C"}}},
        "B": {"items": to("A"), "enum": ["b"], "default": to("data")}});
    for document in documents(&schemas) {
        let (api, warnings) = bed.warned(&document).await;
        let missing = |name: &str| format!("Reference to model '{name}' not found. Ignoring.");
        let mut told = warnings.clone();
        told.sort_unstable();
        assert_eq!(told, [missing("C"), missing("Nope"), missing("none")]);
        let known = json!({"$ref": format!("{URL}/{api}/models/B")});
        let schema =
            json!({"type": "object", "properties": {"known": known, "none": {}, "part": {}, "outside": {}}});
        assert_eq!(bed.schema(&api, "A").await, schema);
        let strict = json!({"body": document.to_string(), "failOnWarnings": true});
        assert!(bed.run("ImportRestApi", strict).await.is_err());
    }
}

#[tokio::test]
async fn references_to_parts_mean_the_same_in_a_document() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let own = json!({"type": "object", "required": ["a"], "definitions": {"q": {"type": "integer"}},
        "properties": {"a": {"$ref": "#/definitions/q"}, "again": {"$ref": "#"}}});
    let of_other = |api: &str| {
        let link = format!("{URL}/{api}/models/Own");
        json!({"properties": {"part": {"$ref": format!("{link}#/definitions/q")}, "whole": {"$ref": link}}})
    };
    for (name, schema) in [("Own", own.clone()), ("Other", of_other(&api))] {
        let model = json!({"name": name, "contentType": "application/json", "schema": schema.to_string()});
        bed.ok("CreateModel", with(&json!({"restApiId": api}), model)).await;
    }
    let refused = bed.run("DeleteModel", json!({"restApiId": api, "modelName": "Own"})).await;
    assert_eq!(
        refused.expect_err("in use"),
        conflict("Cannot delete model 'Own', is referenced in model: Other")
    );
    bed.validated_method(&api, &root, "POST", "Own").await;
    bed.validated_method(&api, &root, "PUT", "Other").await;
    bed.deploy(&api, json!({"stageName": "dev"})).await;
    let mut apis = vec![api.clone()];
    for (kind, schemas, prefix) in [
        ("oas30", "/components/schemas", "#/components/schemas/"),
        ("swagger", "/definitions", "#/definitions/"),
    ] {
        let parameters = json!({"extensions": "apigateway"});
        let export =
            json!({"restApiId": api, "stageName": "dev", "exportType": kind, "parameters": parameters});
        let exported = bed.ok("GetExport", export).await;
        let at = |path: &str| exported.pointer(&format!("{schemas}{path}/$ref")).map(text);
        assert_eq!(at("/Own/properties/a"), Some(format!("{prefix}Own/definitions/q")));
        assert_eq!(at("/Own/properties/again"), Some(format!("{prefix}Own")));
        assert_eq!(at("/Other/properties/part"), Some(format!("{prefix}Own/definitions/q")));
        let strict = json!({"body": exported.to_string(), "failOnWarnings": true});
        let other = text(&bed.ok("ImportRestApi", strict).await["id"]);
        let whole = json!({"$ref": format!("{URL}/{other}/models/Own")});
        let mut expected = own.clone();
        expected["properties"]["again"] = whole;
        assert_eq!(bed.schema(&other, "Own").await, expected);
        assert_eq!(bed.schema(&other, "Other").await, of_other(&other));
        bed.deploy(&other, json!({"stageName": "dev"})).await;
        apis.push(other);
    }
    for api in &apis {
        for (verb, body, is_good) in [
            ("POST", json!({"a": 1, "again": {"a": 2}}), true),
            ("POST", json!({"a": "x"}), false),
            ("POST", json!({"a": 1, "again": {"a": "x"}}), false),
            ("PUT", json!({"part": 1, "whole": {"a": 1}}), true),
            ("PUT", json!({"part": "x"}), false),
            ("PUT", json!({"whole": {"a": "x"}}), false),
        ] {
            assert_eq!(bed.passes(api, verb, &body), is_good, "{verb} {body}");
        }
    }
}

#[tokio::test]
async fn a_body_may_be_a_part_of_a_schema() {
    let bed = Bed::new();
    let part = json!({"schema": {"$ref": "#/components/schemas/B/properties/c"}});
    let bodies = json!({
        "requestBody": {"content": {"application/json": part}},
        "parameters": [{"in": "body", "name": "b", "schema": {"$ref": "#/definitions/B/properties/c"}}],
    });
    let integration =
        json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
    let schemas = json!({"B": {"properties": {"c": {"type": "integer"}}}});
    for (mut document, body) in documents(&schemas).into_iter().zip(["requestBody", "parameters"]) {
        document["paths"]["/"] =
            json!({"post": {body: bodies[body], "x-amazon-apigateway-integration": integration}});
        document["x-amazon-apigateway-request-validator"] = json!("all");
        document["x-amazon-apigateway-request-validators"] = json!({"all": {"validateRequestBody": true}});
        let (api, warnings) = bed.warned(&document).await;
        assert_eq!(warnings, [""; 0]);
        bed.deploy(&api, json!({"stageName": "dev"})).await;
        assert!(bed.passes(&api, "POST", &json!(1)) && !bed.passes(&api, "POST", &json!("x")));
    }
}
