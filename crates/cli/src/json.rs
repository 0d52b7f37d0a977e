//! JSON to a model's values and back, as people and scripts write it.
//!
//! Members have the model's names. Timestamps are ISO 8601 text or seconds since 1970; they come back as ISO 8601 text.
//! Blobs are base64 text both ways. Going in, `@FILE` is a file's content where the caller allows it, and an object or a
//! list stands for its own JSON text, which is what a function's payload mostly is.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pitbird_wire::{Key, Kind, Model, Reference, ShapeId, Structure, Value};
use serde_json::Value as Json;
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::operation::nearest;

/// Levels of one input; the codecs have the same bound.
const DEPTH_MAX: usize = 64;

/// Why JSON isn't an operation's input. `path` leads there from the input's top.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("{path} is no member of {shape}{}", .meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default())]
    Unknown { path: String, shape: &'static str, meant: Option<&'static str> },
    #[error("{path} must be {wanted}, not {found}")]
    Type { path: String, wanted: &'static str, found: String },
    #[error("{path} is nested deeper than {DEPTH_MAX} levels")]
    Depth { path: String },
    #[error("{path}: can't read {file}: {cause}")]
    File { path: String, file: String, cause: String },
}

/// How blobs may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// `@FILE` is a file's content.
    Read,
    Refused,
}

/// Reads an operation's input.
pub fn to_value(model: &Model, shape: Option<ShapeId>, json: &Json, files: Files) -> Result<Value, Error> {
    let reader = Reader { model, files };
    match (shape, json) {
        (_, Json::Null) => Ok(Value::empty_map()),
        (Some(shape), json) => reader.read(&Reference::to(shape), json, &mut Vec::new()),
        (None, Json::Object(members)) => match members.keys().next() {
            None => Ok(Value::empty_map()),
            Some(name) => Err(Error::Unknown { path: name.clone(), shape: "an empty input", meant: None }),
        },
        (None, other) => Err(wrong(&[], "an object", other)),
    }
}

struct Reader<'m> {
    model: &'m Model,
    files: Files,
}

impl Reader<'_> {
    fn read(&self, reference: &Reference, json: &Json, path: &mut Vec<String>) -> Result<Value, Error> {
        if path.len() > DEPTH_MAX {
            return Err(Error::Depth { path: path.join(".") });
        }
        let shape = self.model.shape(reference.shape);
        let value = match (&shape.kind, json) {
            (_, Json::Null) => Value::Null,
            (Kind::Structure(structure), Json::Object(members)) => {
                let mut entries = Vec::with_capacity(members.len());
                for (name, member) in members {
                    entries.push(self.member(shape.name, structure, name, member, path)?);
                }
                Value::Map(entries)
            }
            (Kind::Map { value, .. }, Json::Object(members)) => {
                let mut entries = Vec::with_capacity(members.len());
                for (name, member) in members {
                    let below = self.below(value, member, name.clone(), path)?;
                    entries.push((Key::Owned(name.clone()), below));
                }
                Value::Map(entries)
            }
            (Kind::List { member, .. }, Json::Array(items)) => {
                let mut list = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    list.push(self.below(member, item, at.to_string(), path)?);
                }
                Value::List(list)
            }
            (Kind::Document, any) => document(any),
            (Kind::Blob { .. }, json) => Value::Blob(self.blob(json, path)?),
            (kind, json) => scalar(kind, json).ok_or_else(|| wrong(path, sort(kind), json))?,
        };
        Ok(value)
    }

    fn member(
        &self,
        shape: &'static str,
        structure: &Structure,
        name: &str,
        json: &Json,
        path: &mut Vec<String>,
    ) -> Result<(Key, Value), Error> {
        let Some(member) = structure.member(name) else {
            path.push(name.to_owned());
            let names = structure.members.iter().map(|member| member.name);
            return Err(Error::Unknown { path: path.join("."), shape, meant: nearest(name, names) });
        };
        let value = self.below(&member.reference, json, name.to_owned(), path)?;
        Ok((Key::Borrowed(member.name), value))
    }

    fn below(
        &self,
        reference: &Reference,
        json: &Json,
        step: String,
        path: &mut Vec<String>,
    ) -> Result<Value, Error> {
        path.push(step);
        let value = self.read(reference, json, path);
        path.pop();
        value
    }

    fn blob(&self, json: &Json, path: &[String]) -> Result<Bytes, Error> {
        match json {
            Json::String(text) => match text.strip_prefix('@') {
                Some(file) if self.files == Files::Read => {
                    let content = std::fs::read(Path::new(file));
                    content.map(Bytes::from).map_err(|error| Error::File {
                        path: path.join("."),
                        file: file.to_owned(),
                        cause: error.to_string(),
                    })
                }
                _ => {
                    let decoded = STANDARD.decode(text.trim());
                    decoded.map(Bytes::from).map_err(|_| wrong(path, "base64, @FILE or JSON", json))
                }
            },
            Json::Object(_) | Json::Array(_) => Ok(Bytes::from(json.to_string())),
            _ => Err(wrong(path, "base64, @FILE or JSON", json)),
        }
    }
}

fn scalar(kind: &Kind, json: &Json) -> Option<Value> {
    Some(match (kind, json) {
        (Kind::String, Json::String(text)) => Value::String(text.clone()),
        (Kind::Boolean, Json::Bool(it)) => Value::Bool(*it),
        (Kind::Integer | Kind::Long, Json::Number(number)) => Value::Integer(number.as_i64()?),
        (Kind::Float | Kind::Double, Json::Number(number)) => Value::Float(number.as_f64()?),
        (Kind::Float | Kind::Double, Json::String(text)) => Value::Float(match text.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => return None,
        }),
        (Kind::Timestamp(_), Json::Number(number)) => Value::Timestamp(number.as_f64()?),
        (Kind::Timestamp(_), Json::String(text)) => Value::Timestamp(parse_timestamp(text)?),
        _ => return None,
    })
}

fn document(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(it) => Value::Bool(*it),
        Json::Number(number) => match number.as_i64() {
            Some(it) => Value::Integer(it),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(document).collect()),
        Json::Object(members) => {
            Value::Map(members.iter().map(|(name, it)| (Key::Owned(name.clone()), document(it))).collect())
        }
    }
}

/// Seconds since 1970 from ISO 8601 text.
pub fn parse_timestamp(text: &str) -> Option<f64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(time.unix_timestamp_nanos() as f64 / 1e9)
}

fn wrong(path: &[String], wanted: &'static str, json: &Json) -> Error {
    let path = if path.is_empty() { "the input".to_owned() } else { path.join(".") };
    let mut found = json.to_string();
    if let Some((at, _)) = found.char_indices().nth(60) {
        found.truncate(at);
        found.push('…');
    }
    Error::Type { path, wanted, found }
}

fn sort(kind: &Kind) -> &'static str {
    match kind {
        Kind::Structure(_) | Kind::Map { .. } => "an object",
        Kind::List { .. } => "a list",
        Kind::String => "text",
        Kind::Boolean => "true or false",
        Kind::Integer | Kind::Long => "a whole number",
        Kind::Float | Kind::Double => "a number",
        Kind::Timestamp(_) => "a time (2026-01-31T12:00:00Z, or seconds since 1970)",
        Kind::Blob { .. } => "base64",
        Kind::Document => "JSON",
    }
}

/// Writes an operation's output.
pub fn from_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(it) => Json::Bool(*it),
        Value::Integer(it) => Json::from(*it),
        // JSON has no words for numbers without end.
        Value::Float(it) => {
            serde_json::Number::from_f64(*it).map_or(Json::String(it.to_string()), Json::Number)
        }
        Value::String(text) => Json::String(text.clone()),
        Value::Blob(bytes) => Json::String(STANDARD.encode(bytes)),
        Value::Timestamp(seconds) => timestamp(*seconds),
        Value::List(items) => Json::Array(items.iter().map(from_value).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(name, it)| (name.to_string(), from_value(it))).collect())
        }
    }
}

/// To the millisecond, which is as fine as AWS's services tell time.
fn timestamp(seconds: f64) -> Json {
    let ms = (seconds * 1e3).round();
    match epoch_ms(ms as i64) {
        Some(text) if ms.is_finite() => Json::String(text),
        _ => serde_json::Number::from_f64(seconds).map_or(Json::Null, Json::Number),
    }
}

/// ISO 8601 with milliseconds, in UTC.
pub fn epoch_ms(ms: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()?;
    let (date, (hour, minute, second, milli)) = (time.date(), time.to_hms_milli());
    Some(format!(
        "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day()
    ))
}

#[cfg(test)]
mod tests;
