//! The query protocol's forms: `Filter.member.1.Name=x`.

use super::{DEPTH_MAX, DecodeError, EncodeError, Reading, Step, scalar};
use crate::model::{Kind, Location, Model, Reference, Structure, TimestampFormat};
use crate::query;
use crate::value::{Key, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Fields of one form; AWS's own forms have some thousands at most.
const FIELDS_MAX: usize = 100_000;

/// A form's fields by the parts of their names.
#[derive(Default)]
struct Node<'f> {
    text: Option<Cow<'f, str>>,
    below: BTreeMap<Box<str>, Node<'f>>,
}

/// Reads a form as the referenced structure. `Action` and `Version` are no members.
pub fn read(reading: &mut Reading<'_>, reference: &Reference, body: &[u8]) -> Result<Value, DecodeError> {
    let text =
        std::str::from_utf8(body).map_err(|_| DecodeError::Malformed("the form is no UTF-8".into()))?;
    let mut root = Node::default();
    for (at, (name, value)) in query::pairs(text).enumerate() {
        if at >= FIELDS_MAX {
            return Err(DecodeError::Malformed(format!("a form has at most {FIELDS_MAX} fields")));
        }
        root.plant(&name, value)?;
    }
    root.below.remove("Action");
    root.below.remove("Version");
    read_node(reading, reference, root)
}

impl<'f> Node<'f> {
    fn plant(&mut self, name: &str, value: Cow<'f, str>) -> Result<(), DecodeError> {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            // Lists and maps add two parts a level.
            if depth > 2 * DEPTH_MAX {
                return Err(DecodeError::Depth);
            }
            node = node.below.entry(part.into()).or_default();
        }
        node.text = Some(value);
        Ok(())
    }

    /// Numbered children in their order; the others are unknown.
    fn numbered(self, reading: &mut Reading<'_>) -> Vec<Node<'f>> {
        let mut items = Vec::with_capacity(self.below.len());
        for (name, node) in self.below {
            match name.parse::<u64>() {
                Ok(number) => items.push((number, node)),
                Err(_) => reading.note_unknown(&name),
            }
        }
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, node)| node).collect()
    }

    fn note_others(&self, reading: &mut Reading<'_>) {
        self.below.keys().for_each(|name| reading.note_unknown(name));
    }
}

fn read_node(
    reading: &mut Reading<'_>,
    reference: &Reference,
    mut node: Node<'_>,
) -> Result<Value, DecodeError> {
    let model = reading.model;
    match &model.shape(reference.shape).kind {
        Kind::Structure(structure) => read_structure(reading, structure, node),
        Kind::List { member, flattened } => {
            let items = if *flattened || reference.flattened {
                node
            } else {
                let items = node.below.remove(member.wire_name.unwrap_or("member")).unwrap_or_default();
                node.note_others(reading);
                items
            };
            reading.enter()?;
            let mut list = Vec::new();
            for (at, item) in items.numbered(reading).into_iter().enumerate() {
                let read = |reading: &mut Reading<'_>| read_node(reading, member, item);
                list.push(reading.within(|| Step::Index(at), true, read)?);
            }
            reading.leave();
            Ok(Value::List(list))
        }
        Kind::Map { key, value, flattened } => {
            let entries = if *flattened || reference.flattened {
                node
            } else {
                let entries = node.below.remove("entry").unwrap_or_default();
                node.note_others(reading);
                entries
            };
            read_map(reading, key, value, entries)
        }
        _ => {
            node.note_others(reading);
            let text = node.text.unwrap_or_default();
            scalar::read(model, reference, text, TimestampFormat::Iso8601)
        }
    }
}

fn read_structure(
    reading: &mut Reading<'_>,
    structure: &Structure,
    mut node: Node<'_>,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let mut members = Vec::new();
    for member in &structure.members {
        let Some(below) = node.below.remove(field_name(reading.model, &member.reference, member.name)) else {
            continue;
        };
        let step = || Step::Name(member.name.into());
        let value = reading.within(step, true, |reading| read_node(reading, &member.reference, below))?;
        members.push((Key::Borrowed(member.name), value));
    }
    node.note_others(reading);
    reading.leave();
    Ok(Value::Map(members))
}

fn read_map(
    reading: &mut Reading<'_>,
    key: &Reference,
    value: &Reference,
    entries: Node<'_>,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let mut map = Vec::new();
    for mut entry in entries.numbered(reading) {
        let name = entry.below.remove(key.wire_name.unwrap_or("key")).and_then(|node| node.text);
        let name = name.ok_or_else(|| DecodeError::Malformed("a map's entry has no key".into()))?;
        let below = entry.below.remove(value.wire_name.unwrap_or("value")).unwrap_or_default();
        entry.note_others(reading);
        let step = || Step::Name(name.clone().into_owned().into());
        let value = reading.within(step, true, |reading| read_node(reading, value, below))?;
        map.push((Key::Owned(name.into_owned()), value));
    }
    reading.leave();
    Ok(Value::Map(map))
}

/// A member's name in a form.
fn field_name(model: &Model, reference: &Reference, name: &'static str) -> &'static str {
    let elements = crate::codec::flattened_name(model, reference);
    elements.or(reference.wire_name).unwrap_or(name)
}

/// Writes a structure as a form, without `Action` and `Version`.
pub fn write(
    model: &Model,
    reference: &Reference,
    value: &Value,
    form: &mut String,
) -> Result<(), EncodeError> {
    write_node(model, reference, value, String::new(), form)
}

fn write_node(
    model: &Model,
    reference: &Reference,
    value: &Value,
    prefix: String,
    form: &mut String,
) -> Result<(), EncodeError> {
    let shape = model.shape(reference.shape);
    match (&shape.kind, value) {
        (_, Value::Null) => {}
        (Kind::Structure(structure), Value::Map(members)) => {
            for (name, value) in members {
                let Some(member) = structure.member(name) else {
                    return Err(EncodeError::UnknownMember { shape: shape.name, name: name.to_string() });
                };
                if member.location == Location::Body {
                    let name = field_name(model, &member.reference, member.name);
                    write_node(model, &member.reference, value, join(&prefix, name), form)?;
                }
            }
        }
        (Kind::List { .. }, Value::List(items)) if items.is_empty() => query::push(form, &prefix, ""),
        (Kind::List { member, flattened }, Value::List(items)) => {
            let prefix = match *flattened || reference.flattened {
                true => prefix,
                false => join(&prefix, member.wire_name.unwrap_or("member")),
            };
            for (at, item) in items.iter().enumerate() {
                write_node(model, member, item, join(&prefix, itoa::Buffer::new().format(at + 1)), form)?;
            }
        }
        (Kind::Map { key, value, flattened }, Value::Map(entries)) => {
            let prefix = if *flattened || reference.flattened { prefix } else { join(&prefix, "entry") };
            for (at, (name, entry)) in entries.iter().enumerate() {
                let prefix = join(&prefix, itoa::Buffer::new().format(at + 1));
                query::push(form, &join(&prefix, key.wire_name.unwrap_or("key")), name);
                let prefix = join(&prefix, value.wire_name.unwrap_or("value"));
                write_node(model, value, entry, prefix, form)?;
            }
        }
        _ => query::push(form, &prefix, &scalar::write(model, reference, value, TimestampFormat::Iso8601)?),
    }
    Ok(())
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
