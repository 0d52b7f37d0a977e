use super::{TAG_EPOCH, major};
use crate::codec::EncodeError;
use crate::model::{Kind, Model, Reference, Structure};
use crate::value::{Key, Value};

/// Writes a value of a shape.
pub fn write(
    model: &Model,
    reference: &Reference,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let shape = model.shape(reference.shape);
    match (&shape.kind, value) {
        (_, Value::Null) => write_any(value, out),
        (Kind::Structure(structure), Value::Map(members)) => {
            return write_structure(model, shape.name, structure, members, out);
        }
        (Kind::Map { value, .. }, Value::Map(entries)) => {
            head(major::MAP, entries.len() as u64, out);
            for (key, entry) in entries {
                text(key, out);
                write(model, value, entry, out)?;
            }
        }
        (Kind::List { member, .. }, Value::List(items)) => {
            head(major::ARRAY, items.len() as u64, out);
            for item in items {
                write(model, member, item, out)?;
            }
        }
        (Kind::Timestamp(_), Value::Timestamp(it) | Value::Float(it)) => {
            write_any(&Value::Timestamp(*it), out)
        }
        (Kind::Timestamp(_), Value::Integer(it)) => write_any(&Value::Timestamp(*it as f64), out),
        (Kind::Float | Kind::Double, Value::Integer(it)) => write_any(&Value::Float(*it as f64), out),
        (Kind::Document, _)
        | (Kind::Blob { .. }, Value::Blob(_))
        | (Kind::Float | Kind::Double, Value::Float(_))
        | (Kind::Integer | Kind::Long, Value::Integer(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::String, Value::String(_)) => write_any(value, out),
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
    let some = members.iter().filter(|(_, value)| !value.is_null());
    head(major::MAP, some.clone().count() as u64, out);
    for (key, value) in some {
        let Some(member) = structure.member(key) else {
            return Err(EncodeError::UnknownMember { shape: name, name: key.to_string() });
        };
        text(member.wire_name(), out);
        write(model, &member.reference, value, out)?;
    }
    Ok(())
}

/// Writes a value without a model.
pub fn write_any(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(it) => out.push(if *it { 0xf5 } else { 0xf4 }),
        Value::Integer(it) if *it < 0 => head(major::NEGATIVE, !it.cast_unsigned(), out),
        Value::Integer(it) => head(major::UNSIGNED, it.cast_unsigned(), out),
        Value::Float(it) => float(*it, out),
        Value::Timestamp(it) => {
            head(major::TAG, TAG_EPOCH, out);
            // A float also for whole seconds: the AWS SDK for Rust reads nothing else.
            float(*it, out);
        }
        Value::String(it) => text(it, out),
        Value::Blob(it) => {
            head(major::BYTES, it.len() as u64, out);
            out.extend_from_slice(it);
        }
        Value::List(items) => {
            head(major::ARRAY, items.len() as u64, out);
            items.iter().for_each(|item| write_any(item, out));
        }
        Value::Map(entries) => {
            head(major::MAP, entries.len() as u64, out);
            for (key, entry) in entries {
                text(key, out);
                write_any(entry, out);
            }
        }
    }
}

fn float(it: f64, out: &mut Vec<u8>) {
    let short = it as f32;
    if f64::from(short) == it {
        out.push(0xfa);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xfb);
        out.extend_from_slice(&it.to_be_bytes());
    }
}

fn text(it: &str, out: &mut Vec<u8>) {
    head(major::TEXT, it.len() as u64, out);
    out.extend_from_slice(it.as_bytes());
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&(argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&(argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}
