use super::document::Any;
use crate::codec::{DecodeError, Reading, Step, timestamp, timestamp_format};
use crate::model::{Kind, Reference, Structure, TimestampFormat};
use crate::value::{Key, Value};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::fmt;

/// Base64 as AWS reads it: padding may be missing.
pub const BASE64_LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a body as the referenced shape.
pub fn read(reading: &mut Reading<'_>, reference: &Reference, body: &[u8]) -> Result<Value, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let failure = RefCell::new(None);
    let seed = Shaped { reading, reference, failure: &failure };
    let malformed = |error: serde_json::Error| match failure.take() {
        Some(failure) => failure,
        None => DecodeError::Malformed(error.to_string()),
    };
    let value = seed.deserialize(&mut deserializer).map_err(malformed)?;
    deserializer.end().map_err(|error| DecodeError::Malformed(error.to_string()))?;
    Ok(value)
}

/// A value of a shape.
struct Shaped<'a, 'm> {
    reading: &'a mut Reading<'m>,
    reference: &'a Reference,
    /// serde's errors are words; ours wait here until serde is done.
    failure: &'a RefCell<Option<DecodeError>>,
}

impl<'m> Shaped<'_, 'm> {
    fn kind(&self) -> &'m Kind {
        &self.reading.model.shape(self.reference.shape).kind
    }

    fn fail<E: Error>(&self, error: DecodeError) -> E {
        let words = E::custom(&error);
        *self.failure.borrow_mut() = Some(error);
        words
    }

    /// AWS's words for a scalar of the wrong type.
    fn mismatch<E: Error>(&self, found: &str) -> E {
        let expected = match self.kind() {
            Kind::Structure(_) | Kind::Map { .. } | Kind::Document => {
                return self.fail(DecodeError::Type("Unexpected field type".into()));
            }
            Kind::List { .. } => return self.fail(DecodeError::Type("Expected list or null".into())),
            Kind::String => "a String",
            Kind::Boolean => "a Boolean",
            Kind::Integer => "an Integer",
            Kind::Long => "a Long",
            Kind::Float => "a Float",
            Kind::Double => "a Double",
            Kind::Timestamp(_) => "milliseconds since epoch",
            Kind::Blob { .. } => "a Blob",
        };
        self.fail(DecodeError::Type(format!("{found} can not be converted to {expected}")))
    }

    fn integer<E: Error>(&self, it: i64) -> Result<Value, E> {
        match self.kind() {
            Kind::Integer if i32::try_from(it).is_err() => Err(self.mismatch("NUMBER_VALUE")),
            Kind::Integer | Kind::Long | Kind::Document => Ok(Value::Integer(it)),
            Kind::Float | Kind::Double => Ok(Value::Float(it as f64)),
            Kind::Timestamp(_) => Ok(Value::Timestamp(it as f64)),
            _ => Err(self.mismatch("NUMBER_VALUE")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Shaped<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.kind() {
            Kind::Document => Any::top().deserialize(deserializer),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Shaped<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reading.model.shape(self.reference.shape).name)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, it: bool) -> Result<Value, E> {
        match self.kind() {
            Kind::Boolean => Ok(Value::Bool(it)),
            _ => Err(self.mismatch(if it { "TRUE_VALUE" } else { "FALSE_VALUE" })),
        }
    }

    fn visit_i64<E: Error>(self, it: i64) -> Result<Value, E> {
        self.integer(it)
    }

    fn visit_u64<E: Error>(self, it: u64) -> Result<Value, E> {
        match i64::try_from(it) {
            Ok(it) => self.integer(it),
            Err(_) => self.visit_f64(it as f64),
        }
    }

    fn visit_f64<E: Error>(self, it: f64) -> Result<Value, E> {
        match self.kind() {
            Kind::Float | Kind::Double => Ok(Value::Float(it)),
            Kind::Timestamp(_) => Ok(Value::Timestamp(it)),
            // 2^53: beyond, a float is no exact integer.
            Kind::Integer | Kind::Long if it.fract() == 0.0 && it.abs() <= 9_007_199_254_740_992.0 => {
                self.integer(it as i64)
            }
            _ => Err(self.mismatch("NUMBER_VALUE")),
        }
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Value, E> {
        match self.kind() {
            Kind::String => Ok(Value::String(it.to_owned())),
            _ => self.text(it),
        }
    }

    fn visit_string<E: Error>(self, it: String) -> Result<Value, E> {
        match self.kind() {
            Kind::String => Ok(Value::String(it)),
            _ => self.text(&it),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Kind::List { member, .. } = self.kind() else {
            return Err(self.fail(DecodeError::Type("Start of list found where not expected".into())));
        };
        self.reading.enter().map_err(|error| self.fail(error))?;
        let nested = self.reading.is_nested(member);
        let failure = self.failure;
        let mut list = Vec::new();
        loop {
            let at = list.len();
            let item = self.reading.within(
                || Step::Index(at),
                nested,
                |reading| items.next_element_seed(Shaped { reading, reference: member, failure }),
            )?;
            let Some(item) = item else { break };
            list.push(item);
        }
        self.reading.leave();
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        self.reading.enter().map_err(|error| self.fail(error))?;
        match self.kind() {
            Kind::Structure(structure) => self.structure(structure, entries),
            Kind::Map { value, .. } => self.entries(value, entries),
            _ => {
                let words = "Start of structure or map found where not expected.";
                Err(self.fail(DecodeError::Type(words.into())))
            }
        }
    }
}

impl Shaped<'_, '_> {
    fn text<E: Error>(self, it: &str) -> Result<Value, E> {
        match self.kind() {
            Kind::Blob { .. } => match BASE64_LENIENT.decode(it) {
                Ok(bytes) => Ok(Value::Blob(bytes.into())),
                Err(_) => Err(self.mismatch("STRING_VALUE")),
            },
            Kind::Timestamp(_) => {
                let format = timestamp_format(self.reading.model, self.reference, TimestampFormat::Epoch);
                match timestamp::read(it, format) {
                    Some(seconds) => Ok(Value::Timestamp(seconds)),
                    None => Err(self.mismatch("STRING_VALUE")),
                }
            }
            Kind::Float | Kind::Double => match it {
                "NaN" => Ok(Value::Float(f64::NAN)),
                "Infinity" => Ok(Value::Float(f64::INFINITY)),
                "-Infinity" => Ok(Value::Float(f64::NEG_INFINITY)),
                _ => Err(self.mismatch("STRING_VALUE")),
            },
            _ => Err(self.mismatch("STRING_VALUE")),
        }
    }

    fn structure<'de, A: MapAccess<'de>>(
        self,
        structure: &Structure,
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let failure = self.failure;
        let mut members: Vec<(Key, Value)> = Vec::with_capacity(structure.members.len().min(8));
        while let Some(name) = entries.next_key_seed(Name)? {
            let Some(member) = structure.by_wire_name(name.as_ref()) else {
                entries.next_value::<IgnoredAny>()?;
                // `__type` names the structure to clients that keep it; it is no member.
                if name.as_ref() != "__type" {
                    self.reading.note_unknown(name.as_ref());
                }
                continue;
            };
            let nested = self.reading.is_nested(&member.reference);
            let value = self.reading.within(
                || Step::Name(member.name.into()),
                nested,
                |reading| entries.next_value_seed(Shaped { reading, reference: &member.reference, failure }),
            )?;
            if !value.is_null() {
                members.retain(|(held, _)| held != member.name);
                members.push((Key::Borrowed(member.name), value));
            }
        }
        self.reading.leave();
        Ok(Value::Map(members))
    }

    fn entries<'de, A: MapAccess<'de>>(self, value: &Reference, mut entries: A) -> Result<Value, A::Error> {
        let failure = self.failure;
        let nested = self.reading.is_nested(value);
        let mut map: Vec<(Key, Value)> = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = self.reading.within(
                || Step::Name(key.clone().into()),
                nested,
                |reading| entries.next_value_seed(Shaped { reading, reference: value, failure }),
            )?;
            map.push((Key::Owned(key), value));
        }
        self.reading.leave();
        Ok(Value::Map(map))
    }
}

/// A member's name, borrowed from the body where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_borrowed_str<E: Error>(self, it: &'de str) -> Result<Self::Value, E> {
        Ok(it.into())
    }
    fn visit_str<E: Error>(self, it: &str) -> Result<Self::Value, E> {
        Ok(it.to_owned().into())
    }
}
