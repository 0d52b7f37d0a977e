//! From a [`Value`] to a type that serde can make.

use super::{Key, Value, blob};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
    value::{CowStrDeserializer, StrDeserializer},
};
use serde::forward_to_deserialize_any;
use thiserror::Error;

/// Why a value doesn't fit a type. Small, since every field of every input is read into a result with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FromValueError(Box<str>);

impl de::Error for FromValueError {
    fn custom<T: std::fmt::Display>(words: T) -> Self {
        FromValueError(words.to_string().into())
    }
}

/// Makes a `T`. Timestamps appear as seconds (`f64`), blobs as bytes (without a copy into [`super::Blob`]).
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, FromValueError> {
    from_value_reporting(value).map(|(made, _)| made)
}

/// Makes a `T` and tells which members it has no room for: `tags`, `steps.0.percent`.
pub fn from_value_reporting<T: DeserializeOwned>(value: Value) -> Result<(T, Vec<String>), FromValueError> {
    let mut ignored = Vec::new();
    let made = T::deserialize(Source { value, place: &Place::Root, ignored: &mut ignored })?;
    Ok((made, ignored))
}

/// Where in the whole a value stands.
enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn write(&self, words: &mut String) {
        let (parent, part) = match self {
            Place::Root => return,
            Place::Member(parent, name) => (parent, (*name).to_owned()),
            Place::Item(parent, index) => (parent, index.to_string()),
        };
        parent.write(words);
        if !words.is_empty() {
            words.push('.');
        }
        words.push_str(&part);
    }
}

/// A value, and where to report what isn't taken of it. One type does both, and a member's name is kept for the report
/// alone: every input of every operation is compiled against this one source, so that it is small matters.
struct Source<'p, 'r> {
    value: Value,
    place: &'p Place<'p>,
    ignored: &'r mut Vec<String>,
}

impl<'de> Deserializer<'de> for Source<'_, '_> {
    type Error = FromValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        let Source { value, place, ignored } = self;
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(it) => visitor.visit_bool(it),
            Value::Integer(it) => visitor.visit_i64(it),
            Value::Float(it) | Value::Timestamp(it) => visitor.visit_f64(it),
            Value::String(it) => visitor.visit_string(it),
            // Into a vector without a copy if nobody else holds the bytes.
            Value::Blob(it) => visitor.visit_byte_buf(it.into()),
            Value::List(items) => {
                visitor.visit_seq(Items { items: items.into_iter(), index: 0, place, ignored })
            }
            Value::Map(entries) => {
                visitor.visit_map(Fields { entries: entries.into_iter(), entry: None, place, ignored })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Blob(bytes) if name == blob::NAME => {
                blob::pass(bytes);
                visitor.visit_unit()
            }
            value => visitor.visit_newtype_struct(Source { value, ..self }),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        let Source { value, place, ignored } = self;
        match value {
            Value::String(name) => {
                visitor.visit_enum(Choice { name: name.into(), value: None, place, ignored })
            }
            Value::Map(entries) => match <[_; 1]>::try_from(entries) {
                Ok([(name, value)]) => {
                    visitor.visit_enum(Choice { name, value: Some(value), place, ignored })
                }
                Err(_) => Err(de::Error::custom("a union has exactly one member")),
            },
            other => Err(de::Error::custom(format_args!("{} where a choice belongs", other.sort()))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        let mut words = String::new();
        self.place.write(&mut words);
        self.ignored.push(words);
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier
    }
}

struct Items<'p, 'r> {
    items: std::vec::IntoIter<Value>,
    /// Of the next item.
    index: usize,
    place: &'p Place<'p>,
    ignored: &'r mut Vec<String>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = FromValueError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, FromValueError> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let place = Place::Item(self.place, self.index);
        self.index += 1;
        seed.deserialize(Source { value, place: &place, ignored: self.ignored }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Fields<'p, 'r> {
    entries: std::vec::IntoIter<(Key, Value)>,
    /// The entry whose key has been given and whose value hasn't.
    entry: Option<(Key, Value)>,
    place: &'p Place<'p>,
    ignored: &'r mut Vec<String>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = FromValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FromValueError> {
        self.entry = self.entries.next();
        let Some((key, _)) = &self.entry else { return Ok(None) };
        let key: StrDeserializer<'_, FromValueError> = (**key).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FromValueError> {
        let (key, value) = self.entry.take().expect("serde asks for a key first");
        let place = Place::Member(self.place, &key);
        seed.deserialize(Source { value, place: &place, ignored: self.ignored })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// An enum's variant: a name alone, or a union's one member.
struct Choice<'p, 'r> {
    name: Key,
    value: Option<Value>,
    place: &'p Place<'p>,
    ignored: &'r mut Vec<String>,
}

impl<'p, 'r> Choice<'p, 'r> {
    fn source(self) -> Source<'p, 'r> {
        Source { value: self.value.unwrap_or_default(), place: self.place, ignored: self.ignored }
    }
}

impl<'de> EnumAccess<'de> for Choice<'_, '_> {
    type Error = FromValueError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self), FromValueError> {
        let name = std::mem::take(&mut self.name);
        let variant = seed.deserialize(CowStrDeserializer::new(name))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_, '_> {
    type Error = FromValueError;

    fn unit_variant(self) -> Result<(), FromValueError> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(de::Error::custom("a name where a member with a value stands")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, FromValueError> {
        seed.deserialize(self.source())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, FromValueError> {
        self.source().deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        self.source().deserialize_any(visitor)
    }
}
