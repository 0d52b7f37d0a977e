//! The rollout file as a JSON Schema (draft 2020-12), made of the service's model by the rules of the file's reader: keys in
//! lower case or as the model has them, durations as text under a name without `_ms`, shares, quantiles and percentages as
//! text or numbers. For editors; what the service refuses beyond, it refuses by name.

use pitbird_wire::{Kind, Member, Model, Reference, Shape, Structure};
use serde_json::{Map, Value as Json, json};

use super::file::percentage;
use super::order::start_rollout;
use crate::operation::snake;

/// The schema's name.
const ID: &str = "urn:pitbird:rollout-file";
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
const NUMBER: &str = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)";

/// The schema as it is printed and published, with its last line's end.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).expect("JSON is written");
    text.push('\n');
    text
}

fn schema() -> Json {
    let (model, input) = start_rollout();
    let mut defs = Map::new();
    let mut root = of(model, &input, &mut defs);
    if let Some(Json::Object(input)) = defs.remove("StartRolloutRequest") {
        root = Json::Object(input);
    }
    root["$schema"] = json!(DRAFT);
    root["$id"] = json!(ID);
    root["title"] = json!("A rollout file of pitbird");
    root["description"] = json!(
        "What `pitbird rollout start` and `pitbird rollout plan` read, in TOML, YAML or JSON. Target and canary may also come \
         from flags."
    );
    // Flags may say what the file doesn't.
    if let Some(root) = root.as_object_mut() {
        root.remove("allOf");
    }
    // Stands for all steps without one of their own.
    root["properties"]["wait"] = duration();
    root["properties"]["wait_ms"] = json!({"type": "integer", "minimum": 0});
    forbid(&mut root, &["wait".to_owned(), "wait_ms".to_owned()]);
    root["$defs"] = Json::Object(defs);
    root
}

/// What may stand for a shape; structures are defined once and named.
fn of(model: &Model, reference: &Reference, defs: &mut Map<String, Json>) -> Json {
    let shape = model.shape(reference.shape);
    match &shape.kind {
        Kind::Structure(structure) => {
            if !defs.contains_key(shape.name) {
                defs.insert(shape.name.to_owned(), Json::Null);
                let object = object(model, structure, defs);
                defs.insert(shape.name.to_owned(), object);
            }
            json!({"$ref": format!("#/$defs/{}", shape.name)})
        }
        Kind::List { member, .. } => {
            let mut list = json!({"type": "array", "items": of(model, member, defs)});
            bounds(&mut list, shape, ("minItems", "maxItems"));
            list
        }
        Kind::Map { key, value, .. } => {
            let (names, values) = (of(model, key, defs), of(model, value, defs));
            let mut map = json!({"type": "object", "propertyNames": names, "additionalProperties": values});
            bounds(&mut map, shape, ("minProperties", "maxProperties"));
            map
        }
        Kind::String => text_of(shape),
        Kind::Double | Kind::Float => number(shape),
        Kind::Boolean => json!({"type": "boolean"}),
        _ => {
            let mut integer = json!({"type": "integer"});
            bounds(&mut integer, shape, ("minimum", "maximum"));
            integer
        }
    }
}

fn object(model: &Model, structure: &Structure, defs: &mut Map<String, Json>) -> Json {
    let mut object = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let mut needed = Vec::new();
    for member in &structure.members {
        let value = of(model, &member.reference, defs);
        let keys = keys(member);
        for key in &keys {
            let is_duration = !key.ends_with("_ms") && keys.contains(&format!("{key}_ms"));
            object["properties"][key] = if is_duration { duration() } else { value.clone() };
        }
        if member.required {
            needed.push(
                json!({"anyOf": keys.iter().map(|key| json!({"required": [key]})).collect::<Vec<Json>>()}),
            );
        }
        forbid(&mut object, &keys);
    }
    if structure.union {
        (object["minProperties"], object["maxProperties"]) = (json!(1), json!(1));
    }
    if !needed.is_empty() {
        object["allOf"] = json!(needed);
    }
    match percentage(structure) {
        Some(member) => {
            let mut alone = of(model, &member.reference, defs);
            alone["description"] = json!("the percentage alone");
            json!({"anyOf": [alone, object]})
        }
        None => object,
    }
}

/// All names that the reader knows for a member.
fn keys(member: &Member) -> Vec<String> {
    let name = snake(member.name);
    let without = name.strip_suffix("_ms").map(str::to_owned);
    let mut keys = vec![name];
    keys.extend(without);
    if keys[0] != member.name {
        keys.push(member.name.to_owned());
    }
    keys
}

/// A member may be there under one of its names only.
fn forbid(object: &mut Json, keys: &[String]) {
    let pairs =
        keys.iter().enumerate().flat_map(|(at, one)| keys[at + 1..].iter().map(move |other| (one, other)));
    let pairs: Vec<Json> = pairs.map(|(one, other)| json!({"required": [one, other]})).collect();
    if !object["not"]["anyOf"].is_array() {
        object["not"] = json!({"anyOf": []});
    }
    if let Some(forbidden) = object["not"]["anyOf"].as_array_mut() {
        forbidden.extend(pairs);
    }
}

fn text_of(shape: &Shape) -> Json {
    let constraints = &shape.constraints;
    let mut text = json!({"type": "string"});
    if !constraints.choices.is_empty() {
        let lower = constraints.choices.iter().map(|choice| snake(choice));
        let all = lower.chain(constraints.choices.iter().map(|choice| (*choice).to_owned()));
        text["enum"] = all.map(Json::from).collect();
    }
    if let Some(pattern) = constraints.pattern {
        // Behind a range a hyphen is itself; some readers want that said.
        text["pattern"] = json!(format!("^(?:{})$", pattern.replace("0-9-", r"0-9\-")));
    }
    bounds(&mut text, shape, ("minLength", "maxLength"));
    text
}

/// A number, or the text that people write for it.
fn number(shape: &Shape) -> Json {
    let (pattern, low, high) = match shape.name {
        "Percent" => (format!(r"^\s*{NUMBER}\s*%?\s*$"), 0, 100),
        "Quantile" => (format!(r"^\s*(?:p{NUMBER}|0(?:\.[0-9]*)?|\.[0-9]+|1(?:\.0*)?)\s*$"), 0, 1),
        _ => (format!(r"^\s*{NUMBER}\s*(?:%|pp)?\s*$"), 0, 0),
    };
    let mut number = json!({"type": ["number", "string"], "pattern": pattern});
    if high > 0 {
        (number["minimum"], number["maximum"]) = (json!(low), json!(high));
    }
    number
}

fn duration() -> Json {
    let pattern = format!(r"^\s*(?:{NUMBER}(?:ms|s|m|h|d))+\s*$");
    json!({"type": "string", "pattern": pattern, "description": "a duration, as in 500ms, 60s, 5m, 2h, 1d or 1h30m"})
}

fn bounds(of: &mut Json, shape: &Shape, (least, most): (&str, &str)) {
    for (name, bound) in [(least, shape.constraints.min), (most, shape.constraints.max)] {
        if let Some(bound) = bound {
            of[name] = json!(bound as i64);
        }
    }
}

#[cfg(test)]
mod tests;
