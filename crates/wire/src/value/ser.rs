//! From a type that serde can take apart to a [`Value`].

use super::{Key, Value, blob};
use bytes::Bytes;
use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use thiserror::Error;

/// Why a type can't be a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ToValueError(String);

impl ser::Error for ToValueError {
    fn custom<T: std::fmt::Display>(words: T) -> Self {
        ToValueError(words.to_string())
    }
}

/// Takes a `T` apart. Members that are `None` are left out; bytes become blobs (without a copy from
/// [`super::Blob`]).
pub fn to_value<T: Serialize + ?Sized>(it: &T) -> Result<Value, ToValueError> {
    it.serialize(ToValue)
}

struct ToValue;

type Done = Result<Value, ToValueError>;

macro_rules! integers {
    ($($name:ident $type:ty),*) => {
        $(fn $name(self, it: $type) -> Done {
            i64::try_from(it).map(Value::Integer).map_err(|_| ser::Error::custom("integer over 64 bits"))
        })*
    };
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = ToValueError;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Map;
    type SerializeStruct = Map;
    type SerializeStructVariant = Map;

    integers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128);
    integers!(serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128);

    fn serialize_bool(self, it: bool) -> Done {
        Ok(Value::Bool(it))
    }

    fn serialize_f32(self, it: f32) -> Done {
        Ok(Value::Float(it.into()))
    }

    fn serialize_f64(self, it: f64) -> Done {
        Ok(Value::Float(it))
    }

    fn serialize_char(self, it: char) -> Done {
        Ok(Value::String(it.into()))
    }

    fn serialize_str(self, it: &str) -> Done {
        Ok(Value::String(it.into()))
    }

    fn serialize_bytes(self, it: &[u8]) -> Done {
        Ok(Value::Blob(Bytes::copy_from_slice(it)))
    }

    fn serialize_none(self) -> Done {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, it: &T) -> Done {
        it.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        Ok(Value::empty_map())
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Done {
        Ok(Value::String(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, it: &T) -> Done {
        match (name == blob::NAME).then(blob::passed).flatten() {
            Some(bytes) => Ok(Value::Blob(bytes)),
            None => it.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        it: &T,
    ) -> Done {
        Ok(Value::Map(vec![(Key::Borrowed(variant), it.serialize(self)?)]))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List, ToValueError> {
        Ok(List { items: Vec::with_capacity(len.unwrap_or(0)), variant: None })
    }

    fn serialize_tuple(self, len: usize) -> Result<List, ToValueError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<List, ToValueError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<List, ToValueError> {
        Ok(List { items: Vec::with_capacity(len), variant: Some(variant) })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Map, ToValueError> {
        Ok(Map { entries: Vec::with_capacity(len.unwrap_or(0)), key: None, keep_null: true, variant: None })
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Map, ToValueError> {
        Ok(Map { entries: Vec::with_capacity(len), key: None, keep_null: false, variant: None })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Map, ToValueError> {
        Ok(Map { variant: Some(variant), ..self.serialize_struct(name, len)? })
    }
}

fn within(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::Map(vec![(Key::Borrowed(name), value)]),
        None => value,
    }
}

struct List {
    items: Vec<Value>,
    variant: Option<&'static str>,
}

macro_rules! list {
    ($($trait:ident $method:ident),*) => {
        $(impl $trait for List {
            type Ok = Value;
            type Error = ToValueError;
            fn $method<T: Serialize + ?Sized>(&mut self, it: &T) -> Result<(), ToValueError> {
                self.items.push(to_value(it)?);
                Ok(())
            }
            fn end(self) -> Done {
                Ok(within(self.variant, Value::List(self.items)))
            }
        })*
    };
}

list!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

struct Map {
    entries: Vec<(Key, Value)>,
    key: Option<Key>,
    /// Whether null is an entry's value or a member's absence.
    keep_null: bool,
    variant: Option<&'static str>,
}

impl Map {
    fn put(&mut self, key: Key, value: Value) {
        if self.keep_null || !value.is_null() {
            self.entries.push((key, value));
        }
    }
}

impl SerializeMap for Map {
    type Ok = Value;
    type Error = ToValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ToValueError> {
        self.key = Some(match to_value(key)? {
            Value::String(text) => text.into(),
            Value::Integer(number) => number.to_string().into(),
            other => return Err(ser::Error::custom(format_args!("{} as a key", other.sort()))),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, it: &T) -> Result<(), ToValueError> {
        let key = self.key.take().expect("serde gives the key first");
        self.put(key, to_value(it)?);
        Ok(())
    }

    fn end(self) -> Done {
        Ok(within(self.variant, Value::Map(self.entries)))
    }
}

macro_rules! structure {
    ($($trait:ident),*) => {
        $(impl $trait for Map {
            type Ok = Value;
            type Error = ToValueError;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                it: &T,
            ) -> Result<(), ToValueError> {
                self.put(Key::Borrowed(name), to_value(it)?);
                Ok(())
            }
            fn end(self) -> Done {
                Ok(within(self.variant, Value::Map(self.entries)))
            }
        })*
    };
}

structure!(SerializeStruct, SerializeStructVariant);
