//! JSON without a model.

use crate::codec::{DEPTH_MAX, DecodeError};
use crate::value::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads any JSON. Numbers become integers if they are written as such and fit.
pub fn read(body: &[u8]) -> Result<Value, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Any::top().deserialize(&mut deserializer);
    let value = value.map_err(|error| DecodeError::Malformed(error.to_string()))?;
    deserializer.end().map_err(|error| DecodeError::Malformed(error.to_string()))?;
    Ok(value)
}

/// Any value at a depth.
pub struct Any {
    depth: usize,
}

impl Any {
    /// Where nothing is around.
    pub fn top() -> Any {
        Any { depth: 0 }
    }

    fn below<E: Error>(&self) -> Result<Any, E> {
        if self.depth >= DEPTH_MAX {
            Err(E::custom(DecodeError::Depth))
        } else {
            Ok(Any { depth: self.depth + 1 })
        }
    }
}

impl<'de> DeserializeSeed<'de> for Any {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, it: bool) -> Result<Value, E> {
        Ok(Value::Bool(it))
    }
    fn visit_i64<E: Error>(self, it: i64) -> Result<Value, E> {
        Ok(Value::Integer(it))
    }
    fn visit_u64<E: Error>(self, it: u64) -> Result<Value, E> {
        Ok(i64::try_from(it).map_or(Value::Float(it as f64), Value::Integer))
    }
    fn visit_f64<E: Error>(self, it: f64) -> Result<Value, E> {
        Ok(Value::Float(it))
    }
    fn visit_str<E: Error>(self, it: &str) -> Result<Value, E> {
        Ok(Value::String(it.to_owned()))
    }
    fn visit_string<E: Error>(self, it: String) -> Result<Value, E> {
        Ok(Value::String(it))
    }
    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bytes<E: Error>(self, it: &[u8]) -> Result<Value, E> {
        Ok(Value::Blob(it.to_vec().into()))
    }
    fn visit_byte_buf<E: Error>(self, it: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Blob(it.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below()?)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            map.push((key.into(), entries.next_value_seed(self.below()?)?));
        }
        Ok(Value::Map(map))
    }
}
