use crate::codec::{EncodeError, flattened_name, scalar};
use crate::model::{Kind, Location, Model, Reference, Structure, TimestampFormat, XmlNamespace};
use crate::value::{Key, Value};

/// Writes a value as an element with a name.
pub fn write_element(
    model: &Model,
    reference: &Reference,
    name: &str,
    value: &Value,
    out: &mut String,
) -> Result<(), EncodeError> {
    let shape = model.shape(reference.shape);
    let namespace = reference.xml_namespace.or(shape.xml_namespace);
    match (&shape.kind, value) {
        (_, Value::Null) => Ok(()),
        (Kind::Structure(structure), Value::Map(members)) => {
            open(name, namespace, out);
            write_attributes(model, structure, members, out)?;
            out.push('>');
            write_members(model, shape.name, structure, members, out)?;
            close(name, out);
            Ok(())
        }
        (Kind::List { member, .. }, Value::List(items)) => {
            open(name, namespace, out);
            out.push('>');
            for item in items {
                write_element(model, member, member.wire_name.unwrap_or("member"), item, out)?;
            }
            close(name, out);
            Ok(())
        }
        (Kind::Map { key, value, .. }, Value::Map(entries)) => {
            open(name, namespace, out);
            out.push('>');
            for entry in entries {
                write_entry(model, (key, value), ("entry", None), entry, out)?;
            }
            close(name, out);
            Ok(())
        }
        _ => {
            let text = scalar::write(model, reference, value, TimestampFormat::Iso8601)?;
            open(name, namespace, out);
            out.push('>');
            escape(&text, out);
            close(name, out);
            Ok(())
        }
    }
}

/// Writes the members of a structure that are elements.
pub fn write_members(
    model: &Model,
    shape: &'static str,
    structure: &Structure,
    members: &[(Key, Value)],
    out: &mut String,
) -> Result<(), EncodeError> {
    for (key, value) in members {
        let Some(member) = structure.member(key) else {
            return Err(EncodeError::UnknownMember { shape, name: key.to_string() });
        };
        if member.location == Location::Body && !member.reference.xml_attribute {
            write_member(model, &member.reference, member.wire_name(), value, out)?;
        }
    }
    Ok(())
}

fn write_member(
    model: &Model,
    reference: &Reference,
    name: &str,
    value: &Value,
    out: &mut String,
) -> Result<(), EncodeError> {
    match (&model.shape(reference.shape).kind, value) {
        (Kind::List { member, flattened }, Value::List(items)) if *flattened || reference.flattened => {
            let name = flattened_name(model, reference).unwrap_or(name);
            items.iter().try_for_each(|item| write_element(model, member, name, item, out))
        }
        (Kind::Map { key, value, flattened }, Value::Map(entries)) if *flattened || reference.flattened => {
            let element = (name, reference.xml_namespace);
            entries.iter().try_for_each(|entry| write_entry(model, (key, value), element, entry, out))
        }
        _ => write_element(model, reference, name, value, out),
    }
}

fn write_entry(
    model: &Model,
    (key, value): (&Reference, &Reference),
    (name, namespace): (&str, Option<XmlNamespace>),
    (entry_key, entry): &(Key, Value),
    out: &mut String,
) -> Result<(), EncodeError> {
    open(name, namespace, out);
    out.push('>');
    let key_name = key.wire_name.unwrap_or("key");
    open(key_name, key.xml_namespace, out);
    out.push('>');
    escape(entry_key, out);
    close(key_name, out);
    write_element(model, value, value.wire_name.unwrap_or("value"), entry, out)?;
    close(name, out);
    Ok(())
}

fn write_attributes(
    model: &Model,
    structure: &Structure,
    members: &[(Key, Value)],
    out: &mut String,
) -> Result<(), EncodeError> {
    for member in structure.members.iter().filter(|member| member.reference.xml_attribute) {
        let Some((_, value)) = members.iter().find(|(key, _)| key == member.name) else { continue };
        let text = scalar::write(model, &member.reference, value, TimestampFormat::Iso8601)?;
        out.push(' ');
        out.push_str(member.wire_name());
        out.push_str("=\"");
        escape(&text, out);
        out.push('"');
    }
    Ok(())
}

fn open(name: &str, namespace: Option<XmlNamespace>, out: &mut String) {
    out.push('<');
    out.push_str(name);
    if let Some(XmlNamespace { uri, prefix }) = namespace {
        out.push_str(" xmlns");
        if let Some(prefix) = prefix {
            out.push(':');
            out.push_str(prefix);
        }
        out.push_str("=\"");
        escape(uri, out);
        out.push('"');
    }
}

fn close(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Appends text with XML's special characters escaped. Characters that XML can't carry become U+FFFD.
pub fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            '\n' | '\t' => out.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}
