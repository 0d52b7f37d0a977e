use super::Element;
use crate::codec::{DecodeError, Reading, Step, flattened_name, scalar};
use crate::model::{Kind, Location, Reference, Structure, TimestampFormat};
use crate::value::{Key, Value};
use std::borrow::Cow;

/// Reads an element as the referenced shape.
pub fn read_element(
    reading: &mut Reading<'_>,
    reference: &Reference,
    element: &Element,
) -> Result<Value, DecodeError> {
    let model = reading.model;
    match &model.shape(reference.shape).kind {
        Kind::Structure(structure) => read_structure(reading, structure, element),
        Kind::List { member, .. } => {
            let name = member.wire_name.unwrap_or("member");
            let items = element.children.iter().filter(|child| child.name == name);
            read_items(reading, member, items)
        }
        Kind::Map { key, value, .. } => {
            let entries = element.children.iter().filter(|child| child.name == "entry");
            read_entries(reading, key, value, entries)
        }
        _ => scalar::read(model, reference, Cow::Borrowed(&element.text), TimestampFormat::Iso8601),
    }
}

/// Reads a document whose root is a structure's only body member.
pub fn read_unwrapped(
    reading: &mut Reading<'_>,
    structure: &Structure,
    root: Element,
) -> Result<Value, DecodeError> {
    read_structure(reading, structure, &Element { children: vec![root], ..Element::default() })
}

fn read_structure(
    reading: &mut Reading<'_>,
    structure: &Structure,
    element: &Element,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let mut members = Vec::new();
    for member in &structure.members {
        if member.location != Location::Body {
            continue;
        }
        let step = || Step::Name(member.name.into());
        let value = reading.within(step, true, |reading| {
            read_member(reading, &member.reference, member.wire_name(), element)
        })?;
        if let Some(value) = value {
            members.push((Key::Borrowed(member.name), value));
        }
    }
    note_unknown(reading, structure, element);
    reading.leave();
    Ok(Value::Map(members))
}

/// Notes elements that no member of the structure has.
fn note_unknown(reading: &mut Reading<'_>, structure: &Structure, element: &Element) {
    for child in &element.children {
        let is_known = structure.members.iter().any(|member| {
            let flattened = flattened_name(reading.model, &member.reference);
            member.location == Location::Body && child.name == flattened.unwrap_or(member.wire_name())
        });
        if !is_known {
            reading.note_unknown(&child.name);
        }
    }
}

fn read_member(
    reading: &mut Reading<'_>,
    reference: &Reference,
    name: &str,
    element: &Element,
) -> Result<Option<Value>, DecodeError> {
    let model = reading.model;
    if reference.xml_attribute {
        let found = element.attributes.iter().find(|(held, _)| held == name);
        let read = |(_, text): &(String, String)| {
            scalar::read(model, reference, Cow::Borrowed(text), TimestampFormat::Iso8601)
        };
        return found.map(read).transpose();
    }
    match &model.shape(reference.shape).kind {
        Kind::List { member, flattened } if *flattened || reference.flattened => {
            let name = flattened_name(model, reference).unwrap_or(name);
            let items: Vec<&Element> = element.children.iter().filter(|child| child.name == name).collect();
            if items.is_empty() {
                return Ok(None);
            }
            read_items(reading, member, items.into_iter()).map(Some)
        }
        Kind::Map { key, value, flattened } if *flattened || reference.flattened => {
            let entries: Vec<&Element> = element.children.iter().filter(|child| child.name == name).collect();
            if entries.is_empty() {
                return Ok(None);
            }
            read_entries(reading, key, value, entries.into_iter()).map(Some)
        }
        _ => element.child(name).map(|child| read_element(reading, reference, child)).transpose(),
    }
}

fn read_items<'e>(
    reading: &mut Reading<'_>,
    member: &Reference,
    items: impl Iterator<Item = &'e Element>,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let list = items.map(|item| read_element(reading, member, item)).collect::<Result<_, _>>()?;
    reading.leave();
    Ok(Value::List(list))
}

fn read_entries<'e>(
    reading: &mut Reading<'_>,
    key: &Reference,
    value: &Reference,
    entries: impl Iterator<Item = &'e Element>,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let mut map = Vec::new();
    for entry in entries {
        let name = entry.child(key.wire_name.unwrap_or("key"));
        let name = name.ok_or_else(|| DecodeError::Malformed("a map's entry has no key".into()))?;
        let Some(element) = entry.child(value.wire_name.unwrap_or("value")) else { continue };
        map.push((Key::Owned(name.text.clone()), read_element(reading, value, element)?));
    }
    reading.leave();
    Ok(Value::Map(map))
}
