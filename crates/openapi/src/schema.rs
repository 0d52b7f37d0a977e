//! What schemas refer to: within a document to its other schemas, within an API to its other models, and to parts of all these.

use serde_json::{Map, Value};

use crate::document::Form;

/// Where the models of all APIs are. Source: API Gateway developer guide, "Data models for REST APIs".
const MODELS: &str = "https://apigateway.amazonaws.com/restapis/";
/// Keywords whose values are no schemas, whatever they look like.
const DATA: [&str; 5] = ["const", "default", "enum", "example", "examples"];
/// Keywords whose members are schemas, whatever they are called.
const NAMED: [&str; 5] = ["$defs", "definitions", "dependencies", "patternProperties", "properties"];

/// A schema with other references: `change` makes them of those that are there. Of a schema that refers to nothing, `None`, nothing
/// is left. Readers bound how deep a schema is.
pub fn relink(schema: &Value, change: &mut dyn FnMut(&str) -> Option<String>) -> Value {
    let members = match schema {
        Value::Object(members) => members,
        Value::Array(items) => return items.iter().map(|item| relink(item, change)).collect(),
        scalar => return scalar.clone(),
    };
    let mut relinked = Map::new();
    for (name, value) in members {
        let value = match (name.as_str(), value) {
            ("$ref", Value::String(reference)) => match change(reference) {
                Some(reference) => Value::String(reference),
                None => return Value::Object(Map::new()),
            },
            (name, value) if DATA.contains(&name) || name.starts_with("x-") => value.clone(),
            (name, Value::Object(named)) if NAMED.contains(&name) => {
                named.iter().map(|(name, schema)| (name.clone(), relink(schema, change))).collect()
            }
            (_, value) => relink(value, change),
        };
        relinked.insert(name.clone(), value);
    }
    Value::Object(relinked)
}

/// What a reference to a document's schema begins with.
pub fn prefix(form: Form) -> &'static str {
    match form {
        Form::Swagger2 => "#/definitions/",
        Form::OpenApi30 => "#/components/schemas/",
    }
}

/// The schema that a reference within a document names, and the way to a part of it: empty, or `/properties/a`.
pub fn document_part(reference: &str, form: Form) -> Option<(&str, &str)> {
    let rest = reference.strip_prefix(prefix(form))?;
    Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

/// A reference to an API's model.
pub fn link(api_id: &str, model: &str) -> String {
    format!("{MODELS}{api_id}/models/{model}")
}

/// The model that a reference between models names, and the way to a part of it: empty, or `/properties/a`.
pub fn model_part(reference: &str) -> Option<(&str, &str)> {
    let (_, rest) = reference.strip_prefix(MODELS)?.split_once("/models/")?;
    Some(rest.split_once('#').unwrap_or((rest, "")))
}

/// Does a schema's text refer to a model, or to a part of it?
pub fn refers_to(schema: &str, model: &str) -> bool {
    let link = format!("/models/{model}");
    schema.match_indices(&link).any(|(at, _)| schema[at + link.len()..].starts_with(['"', '#']))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_changed_where_schemas_are() {
        let of = |reference: &str| json!({"$ref": reference});
        let schema = |reference: &str, beside: Value| {
            json!({"properties": {"$ref": of(reference), "enum": of(reference)}, "items": [of(reference)],
                "enum": [of("a")], "example": of("a"), "x-own": of("a"), "not": beside})
        };
        let mut change = |reference: &str| (reference == "a").then(|| "b".to_owned());
        let beside = json!({"type": "string", "$ref": "none"});
        assert_eq!(relink(&schema("a", beside), &mut change), schema("b", json!({})));
    }

    #[test]
    fn parts_are_told_from_wholes() {
        let deep = "#/components/schemas/A/properties/b";
        assert_eq!(document_part(deep, Form::OpenApi30), Some(("A", "/properties/b")));
        assert_eq!(document_part("#/definitions/A", Form::Swagger2), Some(("A", "")));
        assert_eq!(document_part(deep, Form::Swagger2), None);
        let whole = link("api", "A");
        assert_eq!(model_part(&whole), Some(("A", "")));
        assert_eq!(model_part(&format!("{whole}#/a")), Some(("A", "/a")));
        for (name, is_it) in [("A", true), ("B", false), ("", false)] {
            let text = format!("{{\"$ref\":\"{whole}#/a\"}}");
            assert_eq!(refers_to(&text, name), is_it, "{name}");
        }
    }
}
