//! Models that documents describe: what is said of their schemas, and what bodies meet.

use super::*;

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
