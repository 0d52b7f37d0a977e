use std::collections::BTreeMap;

use pitbird_records::Model;
use serde_json::{Map, Value};

/// What a reference to another model of an API begins with.
const REFERENCE: &str = "https://apigateway.amazonaws.com/restapis/";

/// A schema with the schemas of all models that it refers to, near and far, moved into its `definitions`. A reference to
/// a model that isn't there stays as it is.
pub fn flatten(schema: &str, models: &[Model]) -> String {
    let Ok(mut root) = serde_json::from_str::<Value>(schema) else { return schema.to_owned() };
    let schemas: BTreeMap<&str, &str> =
        models.iter().filter_map(|model| Some((model.name.as_str(), model.schema.as_deref()?))).collect();
    let mut wanted = Vec::new();
    relink(&mut root, &schemas, &mut wanted);
    let mut definitions = Map::new();
    while let Some(name) = wanted.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let found = schemas.get(name.as_str()).and_then(|schema| serde_json::from_str(schema).ok());
        let mut found: Value = found.unwrap_or_default();
        relink(&mut found, &schemas, &mut wanted);
        definitions.insert(name, found);
    }
    if definitions.is_empty() {
        return schema.to_owned();
    }
    if let Value::Object(root) = &mut root {
        let own = root.entry("definitions").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(own) = own {
            own.extend(definitions);
        }
    }
    root.to_string()
}

/// Points references at `#/definitions/…` and notes which models these are. Schemas are read by a parser that bounds their
/// depth, and so this recursion.
fn relink(value: &mut Value, schemas: &BTreeMap<&str, &str>, wanted: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(name) = model_name(reference).filter(|name| schemas.contains_key(name))
            {
                wanted.push(name.to_owned());
                *reference = format!("#/definitions/{name}");
            }
            members.values_mut().for_each(|member| relink(member, schemas, wanted));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| relink(item, schemas, wanted)),
        _ => {}
    }
}

fn model_name(reference: &str) -> Option<&str> {
    let (_, name) = reference.strip_prefix(REFERENCE)?.split_once("/models/")?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, schema: &str) -> Model {
        Model {
            scope: Default::default(),
            api_id: "api".to_owned(),
            id: name.to_owned(),
            name: name.to_owned(),
            description: None,
            schema: Some(schema.to_owned()),
            content_type: "application/json".to_owned(),
        }
    }

    #[test]
    fn references_are_followed_once_each() {
        let to = |name: &str| format!("{{\"$ref\":\"{REFERENCE}api/models/{name}\"}}");
        let models = [model("A", &format!("{{\"items\":[{}]}}", to("B"))), model("B", &to("A"))];
        let flat = flatten(models[0].schema.as_deref().expect("a schema"), &models);
        assert_eq!(
            flat,
            "{\"items\":[{\"$ref\":\"#/definitions/B\"}],\"definitions\":{\"B\":{\"$ref\":\"#/definitions/A\"},\
             \"A\":{\"items\":[{\"$ref\":\"#/definitions/B\"}]}}}"
        );
        assert_eq!(flatten(&to("C"), &models), to("C"), "not there");
        assert_eq!(flatten("{\"a\" : 1}", &models), "{\"a\" : 1}", "nothing to do");
    }
}
