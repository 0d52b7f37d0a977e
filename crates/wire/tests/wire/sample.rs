//! Makes a value for any shape.

use pitbird_wire::{Key, Kind, Location, Model, ShapeId, Value};

/// Levels below which lists and maps stay empty; shapes may contain themselves.
const DEPTH_MAX: usize = 6;

pub fn sample(model: &Model, shape: ShapeId) -> Value {
    below(model, shape, 0)
}

fn below(model: &Model, id: ShapeId, depth: usize) -> Value {
    let shape = model.shape(id);
    match &shape.kind {
        Kind::Structure(structure) => {
            let some = structure.members.iter().filter(|member| depth < DEPTH_MAX || member.required);
            let some = some.take(if structure.union { 1 } else { usize::MAX });
            let some = some.filter(|_| !structure.event_stream);
            let member = |member: &pitbird_wire::Member| {
                let value = match member.location {
                    Location::StatusCode => Value::Integer(200),
                    // The names become parts of header names.
                    Location::Headers => Value::Map(vec![("key".into(), "a value".into())]),
                    _ => below(model, member.reference.shape, depth + 1),
                };
                (Key::Borrowed(member.name), value)
            };
            Value::Map(some.map(member).collect())
        }
        Kind::List { member, .. } if depth < DEPTH_MAX => {
            Value::List(vec![below(model, member.shape, depth + 1), below(model, member.shape, depth + 1)])
        }
        Kind::Map { key, value, .. } if depth < DEPTH_MAX => {
            let key = match below(model, key.shape, depth + 1) {
                Value::String(text) => text,
                _ => "key".into(),
            };
            Value::Map(vec![(key.into(), below(model, value.shape, depth + 1))])
        }
        Kind::List { .. } => Value::List(Vec::new()),
        Kind::Map { .. } => Value::empty_map(),
        Kind::String => match shape.constraints.choices.first() {
            Some(choice) => Value::from(*choice),
            None => Value::from("a/b é:\"<&> "),
        },
        Kind::Boolean => Value::Bool(true),
        Kind::Integer => Value::Integer(-7),
        Kind::Long => Value::Integer(1 << 40),
        Kind::Float | Kind::Double => Value::Float(0.25),
        Kind::Timestamp(_) => Value::Timestamp(1_795_400_000.0),
        Kind::Blob { .. } => Value::Blob(b"\0\xff blob"[..].into()),
        Kind::Document => Value::Map(vec![("any".into(), Value::List(vec![Value::Bool(false)]))]),
    }
}

/// The value with all maps in the order of their keys.
pub fn sorted(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(sorted).collect()),
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Map(entries)
        }
        other => other,
    }
}

/// The value as XML can tell it: a flattened list without elements is as good as none.
pub fn without_empty_lists(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(without_empty_lists).collect()),
        Value::Map(entries) => {
            let entries = entries.into_iter().filter(|(_, value)| *value != Value::List(Vec::new()));
            Value::Map(entries.map(|(key, value)| (key, without_empty_lists(value))).collect())
        }
        other => other,
    }
}
