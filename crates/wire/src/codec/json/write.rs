use crate::codec::{EncodeError, timestamp, timestamp_format};
use crate::model::{Kind, Location, Model, Reference, Structure, TimestampFormat};
use crate::value::{Key, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Writes a value as JSON. Of a structure only the members that travel in bodies.
pub fn write(
    model: &Model,
    reference: &Reference,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let shape = model.shape(reference.shape);
    match (&shape.kind, value) {
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (Kind::Structure(structure), Value::Map(members)) => {
            return write_structure(model, shape.name, structure, members, out);
        }
        (Kind::Map { value, .. }, Value::Map(entries)) => {
            out.push(b'{');
            for (at, (key, entry)) in entries.iter().enumerate() {
                separate(at > 0, out);
                write_text(key, out);
                out.push(b':');
                write(model, value, entry, out)?;
            }
            out.push(b'}');
        }
        (Kind::List { member, .. }, Value::List(items)) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                separate(at > 0, out);
                write(model, member, item, out)?;
            }
            out.push(b']');
        }
        (Kind::Blob { .. }, Value::Blob(bytes)) => {
            out.push(b'"');
            let start = out.len();
            out.resize(start + bytes.len().div_ceil(3) * 4, 0);
            STANDARD.encode_slice(bytes, &mut out[start..]).expect("room for four bytes per three");
            out.push(b'"');
        }
        (Kind::Timestamp(_), Value::Timestamp(_) | Value::Float(_) | Value::Integer(_)) => {
            write_timestamp(timestamp_format(model, reference, TimestampFormat::Epoch), value, out);
        }
        (Kind::Document, any) => write_any(any, out),
        (Kind::Float | Kind::Double, Value::Integer(it)) => write_integer(*it, out),
        (Kind::Float | Kind::Double, Value::Float(it)) => write_float(*it, out),
        (Kind::Integer | Kind::Long, Value::Integer(it)) => write_integer(*it, out),
        (Kind::Boolean, Value::Bool(it)) => out.extend_from_slice(if *it { b"true" } else { b"false" }),
        (Kind::String, Value::String(it)) => write_text(it, out),
        (_, other) => return Err(EncodeError::Sort { shape: shape.name, sort: other.sort() }),
    }
    Ok(())
}

fn write_structure(
    model: &Model,
    name: &'static str,
    structure: &Structure,
    members: &[(Key, Value)],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    out.push(b'{');
    let mut some = false;
    for (key, value) in members {
        let Some(member) = structure.member(key) else {
            return Err(EncodeError::UnknownMember { shape: name, name: key.to_string() });
        };
        if member.location != Location::Body || value.is_null() {
            continue;
        }
        separate(some, out);
        some = true;
        write_text(member.wire_name(), out);
        out.push(b':');
        write(model, &member.reference, value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn separate(needed: bool, out: &mut Vec<u8>) {
    if needed {
        out.push(b',');
    }
}

/// Writes a string with its quotes.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a vector takes all bytes");
}

fn write_integer(it: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(it).as_bytes());
}

fn write_float(it: f64, out: &mut Vec<u8>) {
    if it.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if it.is_infinite() {
        out.extend_from_slice(if it > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    } else {
        out.extend_from_slice(ryu::Buffer::new().format_finite(it).as_bytes());
    }
}

fn write_timestamp(format: TimestampFormat, value: &Value, out: &mut Vec<u8>) {
    let seconds = match value {
        Value::Timestamp(it) | Value::Float(it) => *it,
        Value::Integer(it) => *it as f64,
        _ => 0.0,
    };
    let text = timestamp::write(if seconds.is_finite() { seconds } else { 0.0 }, format);
    match format {
        TimestampFormat::Epoch => out.extend_from_slice(text.as_bytes()),
        _ => write_text(&text, out),
    }
}

/// Writes a document.
pub fn write_any(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(it) => out.extend_from_slice(if *it { b"true" } else { b"false" }),
        Value::Integer(it) => write_integer(*it, out),
        Value::Float(it) => write_float(*it, out),
        Value::Timestamp(_) => write_timestamp(TimestampFormat::Epoch, value, out),
        Value::String(it) => write_text(it, out),
        Value::Blob(it) => write_text(&STANDARD.encode(it), out),
        Value::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                separate(at > 0, out);
                write_any(item, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (at, (key, entry)) in entries.iter().enumerate() {
                separate(at > 0, out);
                write_text(key, out);
                out.push(b':');
                write_any(entry, out);
            }
            out.push(b'}');
        }
    }
}
