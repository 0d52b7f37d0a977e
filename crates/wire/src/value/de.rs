//! From a [`Value`] to a type that serde can make.

use super::{Key, Value, blob};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor, value::CowStrDeserializer,
};
use serde::forward_to_deserialize_any;
use serde_ignored::Path;
use thiserror::Error;

/// Why a value doesn't fit a type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FromValueError(String);

impl de::Error for FromValueError {
    fn custom<T: std::fmt::Display>(words: T) -> Self {
        FromValueError(words.to_string())
    }
}

/// Makes a `T`. Timestamps appear as seconds (`f64`), blobs as bytes (without a copy into [`super::Blob`]).
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, FromValueError> {
    T::deserialize(value)
}

/// Makes a `T` and tells which members it has no room for: `tags`, `steps.0.percent`.
pub fn from_value_reporting<T: DeserializeOwned>(value: Value) -> Result<(T, Vec<String>), FromValueError> {
    let mut ignored = Vec::new();
    let made = serde_ignored::deserialize(value, |path| {
        let mut words = String::new();
        write_path(&path, &mut words);
        ignored.push(words);
    })?;
    Ok((made, ignored))
}

fn write_path(path: &Path<'_>, words: &mut String) {
    let (parent, part) = match path {
        Path::Root => return,
        Path::Seq { parent, index } => (parent, index.to_string()),
        Path::Map { parent, key } => (parent, key.clone()),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            return write_path(parent, words);
        }
    };
    write_path(parent, words);
    if !words.is_empty() {
        words.push('.');
    }
    words.push_str(&part);
}

impl<'de> IntoDeserializer<'de, FromValueError> for Value {
    type Deserializer = Value;
    fn into_deserializer(self) -> Value {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = FromValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(it) => visitor.visit_bool(it),
            Value::Integer(it) => visitor.visit_i64(it),
            Value::Float(it) | Value::Timestamp(it) => visitor.visit_f64(it),
            Value::String(it) => visitor.visit_string(it),
            // Into a vector without a copy if nobody else holds the bytes.
            Value::Blob(it) => visitor.visit_byte_buf(it.into()),
            Value::List(items) => {
                let mut items = Items(items.into_iter());
                visitor.visit_seq(&mut items)
            }
            Value::Map(entries) => visitor.visit_map(Fields { entries: entries.into_iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self {
            Value::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        match self {
            Value::Blob(bytes) if name == blob::NAME => {
                blob::pass(bytes);
                visitor.visit_unit()
            }
            other => visitor.visit_newtype_struct(other),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        match self {
            Value::String(name) => visitor.visit_enum(Choice { name: name.into(), value: None }),
            Value::Map(entries) => match <[_; 1]>::try_from(entries) {
                Ok([(name, value)]) => visitor.visit_enum(Choice { name, value: Some(value) }),
                Err(_) => Err(de::Error::custom("a union has exactly one member")),
            },
            other => Err(de::Error::custom(format_args!("{} where a choice belongs", other.sort()))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = FromValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, FromValueError> {
        self.0.next().map(|value| seed.deserialize(value)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields {
    entries: std::vec::IntoIter<(Key, Value)>,
    value: Option<Value>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = FromValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FromValueError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(CowStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FromValueError> {
        seed.deserialize(self.value.take().expect("serde asks for a key first"))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// An enum's variant: a name alone, or a union's one member.
struct Choice {
    name: Key,
    value: Option<Value>,
}

impl<'de> EnumAccess<'de> for Choice {
    type Error = FromValueError;
    type Variant = Choice;

    fn variant_seed<V: DeserializeSeed<'de>>(
        mut self,
        seed: V,
    ) -> Result<(V::Value, Choice), FromValueError> {
        let name = std::mem::take(&mut self.name);
        let variant = seed.deserialize(CowStrDeserializer::new(name))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Choice {
    type Error = FromValueError;

    fn unit_variant(self) -> Result<(), FromValueError> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(de::Error::custom("a name where a member with a value stands")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, FromValueError> {
        seed.deserialize(self.value.unwrap_or_default())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, FromValueError> {
        self.value.unwrap_or_default().deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        self.value.unwrap_or_default().deserialize_any(visitor)
    }
}
