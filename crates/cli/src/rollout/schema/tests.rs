use super::super::file;
use super::*;

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rollout.schema.json");

#[test]
fn the_published_schema_is_the_one_that_is_printed() {
    if std::env::var_os("PITBIRD_BLESS").is_some() {
        std::fs::write(PUBLISHED, text()).unwrap();
    }
    let published = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    assert!(published == text(), "docs/rollout.schema.json is another; PITBIRD_BLESS=1 writes it anew");
}

fn resolved<'s>(schema: &'s Json, mut node: &'s Json) -> &'s Json {
    while let Some(name) = node["$ref"].as_str() {
        node = &schema["$defs"][name.rsplit('/').next().unwrap()];
    }
    node
}

/// Every place of the file: a document with each key of each object at its place, and that object's schema.
fn places(
    schema: &Json,
    node: &Json,
    around: &dyn Fn(Json) -> Json,
    visit: &mut dyn FnMut(&Json, &str, Json),
) {
    let node = resolved(schema, node);
    for one in node["anyOf"].as_array().into_iter().flatten() {
        places(schema, one, around, visit);
    }
    if node["items"].is_object() {
        places(schema, &node["items"], &|inner| around(json!([inner])), visit);
    }
    for (key, value) in node["properties"].as_object().into_iter().flatten() {
        let inner = |inner: Json| around(json!({key.as_str(): inner}));
        visit(node, key, inner(sample(schema, value)));
        places(schema, value, &inner, visit);
    }
}

/// A value that the reader takes.
fn sample(schema: &Json, node: &Json) -> Json {
    let node = resolved(schema, node);
    if let Some(choice) = node["enum"].as_array().and_then(|choices| choices.first()) {
        return choice.clone();
    }
    let is_duration = node["description"].as_str().is_some_and(|words| words.contains("a duration"));
    match node["type"].as_str() {
        Some("array") => json!([]),
        Some("object") => json!({}),
        Some("string") if is_duration => json!("5s"),
        Some("string") => json!("a"),
        _ => json!(1),
    }
}

fn read(file: &Json) -> Result<Json, file::Error> {
    let (model, input) = start_rollout();
    file::parse(&file.to_string(), model, &input)
}

#[test]
fn every_key_of_the_schema_is_one_that_the_reader_knows_and_no_other() {
    let schema = schema();
    let (mut known, mut count) = (Vec::new(), 0);
    places(&schema, &schema, &|inner| inner, &mut |object, key, file| {
        count += 1;
        known.push(key.to_owned());
        assert!(read(&file).is_ok(), "{file}: {:?}", read(&file));
        assert_eq!(object["additionalProperties"], false, "beside {key}");
        let other = file.to_string().replace(&format!("\"{key}\":"), &format!("\"{key}x\":"));
        let refused = read(&serde_json::from_str(&other).unwrap()).unwrap_err().to_string();
        assert!(refused.contains("unknown key"), "{other}: {refused}");
    });
    assert!(count > 100, "{count}");
    for key in ["wait", "Name", "rest_api_id", "when_blind", "above", "above_ms", "interval", "first_percent"]
    {
        assert!(known.iter().any(|known| known == key), "{key}");
    }
}

/// Members of the model, under each of their names, at each place where the reader takes them.
#[test]
fn every_member_of_the_model_is_in_the_schema() {
    fn walk(model: &Model, reference: &Reference, schema: &Json, node: &Json) {
        let node = resolved(schema, node);
        match &model.shape(reference.shape).kind {
            Kind::Structure(structure) => {
                let is_object = |one: &&Json| one["properties"].is_object();
                let object =
                    node["anyOf"].as_array().and_then(|any| any.iter().find(is_object)).unwrap_or(node);
                for member in &structure.members {
                    let name = snake(member.name);
                    let properties = &object["properties"];
                    assert!(properties[&name].is_object() && properties[member.name].is_object(), "{name}");
                    walk(model, &member.reference, schema, &properties[&name]);
                }
            }
            Kind::List { member, .. } => walk(model, member, schema, &node["items"]),
            _ => {}
        }
    }
    let (schema, (model, input)) = (schema(), start_rollout());
    walk(model, &input, &schema, &schema);
}

#[test]
fn two_names_of_one_member_are_refused_by_both() {
    let schema = schema();
    for (file, rules) in [
        (json!({"name": "a", "Name": "a"}), &schema["not"]),
        (json!({"wait": "1s", "wait_ms": 1}), &schema["not"]),
        (json!({"rules": {"interval": "1s", "interval_ms": 1}}), &schema["$defs"]["Rules"]["not"]),
    ] {
        assert!(read(&file).is_err(), "{file}");
        let members = file.get("rules").unwrap_or(&file).as_object().unwrap();
        let is_forbidden = |pair: &Json| {
            pair["required"].as_array().unwrap().iter().all(|key| members.contains_key(key.as_str().unwrap()))
        };
        assert!(rules["anyOf"].as_array().unwrap().iter().any(is_forbidden), "{file}");
    }
}
