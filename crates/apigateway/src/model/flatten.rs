use std::collections::BTreeMap;

use pitbird_openapi::schema::{model_part, relink};
use pitbird_records::Model;
use serde_json::{Map, Value};

/// A schema with the schemas of all models that it refers to, near and far, moved into its `definitions`. A reference to
/// a model that isn't there stays as it is.
pub fn flatten(schema: &str, models: &[Model]) -> String {
    let Ok(root) = serde_json::from_str::<Value>(schema) else { return schema.to_owned() };
    let schemas: BTreeMap<&str, &str> =
        models.iter().filter_map(|model| Some((model.name.as_str(), model.schema.as_deref()?))).collect();
    let mut wanted = Vec::new();
    let mut root = moved(&root, None, &schemas, &mut wanted);
    let mut definitions = Map::new();
    while let Some(name) = wanted.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let found = schemas.get(name.as_str()).and_then(|schema| serde_json::from_str(schema).ok());
        let found = moved(&found.unwrap_or_default(), Some(&name), &schemas, &mut wanted);
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

/// A schema whose references lead to `#/definitions/…`, also those to its own parts if it is moved there as `own`; notes which
/// models these are.
fn moved(
    schema: &Value,
    own: Option<&str>,
    schemas: &BTreeMap<&str, &str>,
    wanted: &mut Vec<String>,
) -> Value {
    relink(schema, &mut |reference| {
        let own_part = || Some((own?, reference.strip_prefix('#')?));
        let part = model_part(reference).filter(|(name, _)| schemas.contains_key(name)).or_else(own_part);
        let Some((name, part)) = part else { return Some(reference.to_owned()) };
        wanted.push(name.to_owned());
        Some(format!("#/definitions/{name}{part}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = "https://apigateway.amazonaws.com/restapis/";

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
        let parts = r##"{"definitions":{"p":{}},"items":{"$ref":"#/definitions/p"}}"##;
        assert_eq!(
            flatten(&to("P#/items"), &[model("P", parts)]),
            r##"{"$ref":"#/definitions/P/items","definitions":{"P":{"definitions":{"p":{}},"items":{"$ref":"#/definitions/P/definitions/p"}}}}"##
        );
        assert_eq!(flatten("{\"a\" : 1}", &models), "{\"a\" : 1}", "nothing to do");
    }
}
