//! Single values as text: path labels, query values, headers, form fields, XML text.

use super::json::BASE64_LENIENT;
use super::{DecodeError, EncodeError, timestamp, timestamp_format};
use crate::model::{Kind, Model, Reference, TimestampFormat};
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Reads text as the referenced shape, which must be a single value.
pub fn read(
    model: &Model,
    reference: &Reference,
    text: Cow<'_, str>,
    place: TimestampFormat,
) -> Result<Value, DecodeError> {
    let kind = &model.shape(reference.shape).kind;
    let value = match kind {
        Kind::String => return Ok(Value::String(text.into_owned())),
        Kind::Boolean => match text.trim() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Integer => text.trim().parse::<i32>().ok().map(|it| Value::Integer(it.into())),
        Kind::Long => text.trim().parse().ok().map(Value::Integer),
        Kind::Float | Kind::Double => read_float(text.trim()).map(Value::Float),
        Kind::Timestamp(_) => {
            timestamp::read(&text, timestamp_format(model, reference, place)).map(Value::Timestamp)
        }
        Kind::Blob { .. } => BASE64_LENIENT.decode(text.trim()).ok().map(|bytes| Value::Blob(bytes.into())),
        Kind::Structure(_) | Kind::List { .. } | Kind::Map { .. } | Kind::Document => None,
    };
    value.ok_or_else(|| DecodeError::Type(format!("{} can not be converted to {}", Short(&text), sort(kind))))
}

fn read_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok().filter(|it: &f64| it.is_finite()),
    }
}

fn sort(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "a String",
        Kind::Boolean => "a Boolean",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Float => "a Float",
        Kind::Double => "a Double",
        Kind::Timestamp(_) => "a Timestamp",
        Kind::Blob { .. } => "a Blob",
        Kind::Structure(_) | Kind::Document => "a structure",
        Kind::List { .. } => "a list",
        Kind::Map { .. } => "a map",
    }
}

/// The beginning of a text that may be long.
struct Short<'a>(&'a str);

impl std::fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.char_indices().nth(64) {
            Some((at, _)) => write!(f, "'{}…'", &self.0[..at]),
            None => write!(f, "'{}'", self.0),
        }
    }
}

/// Writes a single value as text.
pub fn write<'v>(
    model: &Model,
    reference: &Reference,
    value: &'v Value,
    place: TimestampFormat,
) -> Result<Cow<'v, str>, EncodeError> {
    let shape = model.shape(reference.shape);
    Ok(match (&shape.kind, value) {
        (Kind::String, Value::String(it)) => Cow::Borrowed(it),
        (Kind::Boolean, Value::Bool(true)) => "true".into(),
        (Kind::Boolean, Value::Bool(false)) => "false".into(),
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Value::Integer(it)) => {
            it.to_string().into()
        }
        (Kind::Float | Kind::Double, Value::Float(it)) => write_float(*it).into(),
        (Kind::Timestamp(_), Value::Timestamp(it) | Value::Float(it)) => {
            timestamp::write(*it, timestamp_format(model, reference, place)).into()
        }
        (Kind::Timestamp(_), Value::Integer(it)) => {
            timestamp::write(*it as f64, timestamp_format(model, reference, place)).into()
        }
        (Kind::Blob { .. }, Value::Blob(it)) => STANDARD.encode(it).into(),
        (_, other) => return Err(EncodeError::Sort { shape: shape.name, sort: other.sort() }),
    })
}

fn write_float(it: f64) -> String {
    if it.is_nan() {
        "NaN".into()
    } else if it.is_infinite() {
        if it > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        ryu::Buffer::new().format_finite(it).to_owned()
    }
}
