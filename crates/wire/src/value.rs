//! The neutral value between protocols and operations.

mod blob;
mod de;
mod plain;
mod ser;

pub use blob::Blob;
pub use de::{FromValueError, from_value, from_value_reporting};
pub use ser::{ToValueError, to_value};

use bytes::Bytes;
use std::borrow::Cow;

/// A member's name, borrowed from a model, or a map's key.
pub type Key = Cow<'static, str>;

/// What a body, a header or a path label says, without how it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(String),
    Blob(Bytes),
    /// Seconds since 1970.
    Timestamp(f64),
    List(Vec<Value>),
    /// A structure's members or a map's entries, in their order.
    Map(Vec<(Key, Value)>),
}

impl Value {
    pub const fn empty_map() -> Value {
        Value::Map(Vec::new())
    }

    /// The value of a member or an entry.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// What sort of value this is, for messages.
    pub fn sort(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Integer(_) => "integer",
            Value::Float(_) => "float",
            Value::String(_) => "string",
            Value::Blob(_) => "blob",
            Value::Timestamp(_) => "timestamp",
            Value::List(_) => "list",
            Value::Map(_) => "map",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}
