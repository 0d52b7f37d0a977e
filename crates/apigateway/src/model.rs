//! Models: which an API has from the start, what they may be, who leans on them, and what a template for one looks like.

mod flatten;
mod template;

use pitbird_names::resource_id;
use pitbird_openapi::rest::DEFAULT_MODELS;
use pitbird_openapi::schema::refers_to;
use pitbird_records::{Model, Resource, RestApi};
use pitbird_snapshot::{BadSchema, Models, Schema};
use serde_json::Value;

use crate::patch::{Op, Patch};
use crate::{Error, find};

pub use flatten::flatten;
pub use template::template;

/// Longest schema, bytes. Source: API Gateway quotas (400 KB).
const SCHEMA_BYTES: usize = 400 * 1024;
/// Models of one API. Source: no published quota; it bounds what a deployment freezes.
pub const MODELS_MAX: usize = 300;

/// The models that every new API has.
pub fn defaults(api: &RestApi, mut entropy: impl FnMut() -> u128) -> [Model; 2] {
    DEFAULT_MODELS.map(|(name, description, schema)| Model {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id: resource_id(entropy()),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        schema: Some(schema.to_owned()),
        content_type: "application/json".to_owned(),
    })
}

pub fn check_name(name: &str) -> Result<(), Error> {
    match name {
        "" => Err(Error::ModelNameEmpty),
        name if name.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(()),
        name => Err(Error::ModelNameLetters(name.to_owned())),
    }
}

/// Checks a schema's text: a JSON object.
pub fn check_text(schema: Option<&str>) -> Result<(), Error> {
    let schema = schema.filter(|schema| !schema.is_empty()).ok_or(Error::ModelSchemaEmpty)?;
    if schema.len() > SCHEMA_BYTES {
        return Err(Error::ModelSchemaTooLong(SCHEMA_BYTES));
    }
    match serde_json::from_str(schema) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(Error::ModelSchema),
    }
}

/// Checks that bodies can be held against a model. It may refer to its API's other models, and to itself.
pub fn check_schema(model: &Model, others: &[Model]) -> Result<(), Error> {
    check_text(model.schema.as_deref())?;
    let schema = model.schema.as_deref().unwrap_or_default();
    let models: Vec<Model> = match schema.contains("/models/") {
        true => others.iter().filter(|it| it.name != model.name).chain([model]).cloned().collect(),
        false => Vec::new(),
    };
    let models = Models::of_api(&model.api_id, &models);
    Schema::compile(schema, &models).map(|_| ()).map_err(|fault| refusal(&fault))
}

/// How a schema is refused: in API Gateway's words if it would do so too, else by the name of what can't be obeyed.
pub fn refusal(fault: &BadSchema) -> Error {
    match fault {
        BadSchema::LookAround(pattern) | BadSchema::Dialect(pattern) => {
            Error::unsupported(format!("pattern {pattern}"))
        }
        BadSchema::TooLarge => Error::unsupported("schema of so many parts"),
        BadSchema::Json | BadSchema::Reference(_) | BadSchema::Keyword(_) | BadSchema::Pattern(_) => {
            Error::ModelSchema
        }
    }
}

/// Applies one patch operation.
pub fn apply(model: &mut Model, patch: &Patch<'_>) -> Result<(), Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/description") => model.description = patch.text().map(str::to_owned),
        (Op::Replace, "/schema") => {
            check_text(patch.value)?;
            model.schema = patch.value.map(str::to_owned);
        }
        _ => return Err(patch.not_one_of("/description, /schema")),
    }
    Ok(())
}

/// Refuses to let go of a model that a method names, or another model's schema.
pub fn check_unused(name: &str, resources: &[Resource], models: &[Model]) -> Result<(), Error> {
    let used = |by: &'static str, at: String| Err(Error::ModelUsed { name: name.to_owned(), by, at });
    for resource in resources {
        for (verb, method) in &resource.methods {
            let at = format!("{}/{verb}", resource.path);
            if method.request_models.values().any(|model| model == name) {
                return used("method request", at);
            }
            let mut responses = method.responses.iter();
            let response = responses.find(|(_, it)| it.response_models.values().any(|model| model == name));
            if let Some((status, _)) = response {
                return used("method response", format!("{at}/{status}"));
            }
        }
    }
    let mut others = models.iter().filter(|model| model.name != name);
    match others.find(|model| model.schema.as_ref().is_some_and(|schema| refers_to(schema, name))) {
        Some(other) => used("model", other.name.clone()),
        None => Ok(()),
    }
}

/// A model by its name.
pub fn named(
    records: &impl find::Records,
    scope: &pitbird_names::Scope,
    api_id: &str,
    name: &str,
) -> Result<Model, Error> {
    find::child(records, scope, api_id, name, || Error::UnknownModel(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schemas_text_is_a_json_object() {
        assert!(check_text(Some("{}")).is_ok() && check_text(Some("{\"type\": \"string\"}")).is_ok());
        for (schema, text) in [
            (None, "Model schema must have at least 1 property or array items defined"),
            (Some(""), "Model schema must have at least 1 property or array items defined"),
            (
                Some("{"),
                "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
            ),
            (
                Some("[]"),
                "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
            ),
        ] {
            assert_eq!(check_text(schema).expect_err(text).to_string(), text);
        }
        let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(check_text(Some(&long(SCHEMA_BYTES))).is_ok());
        assert!(check_text(Some(&long(SCHEMA_BYTES + 1))).is_err());
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert!(check_text(Some(&deep)).is_err(), "no stack is exhausted");
    }

    #[test]
    fn a_name_is_alphanumeric() {
        assert!(check_name("Pet1").is_ok());
        assert_eq!(check_name("").expect_err("empty").to_string(), "Model name must be non-empty");
        for name in ["a-b", "a_b", "a/b", "é"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
