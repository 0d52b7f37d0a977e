use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// What a member of an input must be in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Integer,
    Float,
    String,
    Blob,
    List,
    Map,
    Structure,
    /// The type takes anything.
    Any,
}

/// One member of an input, by its path: `RoutingConfig.AdditionalVersionWeights`. List items and map values add `[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub path: String,
    pub kind: Kind,
}

/// The members that `T` deserialises, found by letting it deserialise from a source that asks what it wants. Types that
/// check what they read (rather than plain wire types) end the walk where they refuse.
pub fn members<T: DeserializeOwned>() -> Vec<Member> {
    let mut found = Vec::new();
    // The probe's answers are made up, so a refusal says nothing about `T`.
    let _made_up = T::deserialize(Probe { path: String::new(), found: &mut found });
    found
}

struct Probe<'a> {
    path: String,
    found: &'a mut Vec<Member>,
}

impl Probe<'_> {
    fn note(&mut self, kind: Kind) {
        if !self.path.is_empty() {
            self.found.push(Member { path: self.path.clone(), kind });
        }
    }
}

#[derive(Debug)]
struct MadeUp(String);

impl fmt::Display for MadeUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MadeUp {}

impl de::Error for MadeUp {
    fn custom<T: fmt::Display>(message: T) -> Self {
        MadeUp(message.to_string())
    }
}

macro_rules! scalar {
    ($($method:ident $kind:ident $visit:ident $($value:expr)?;)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, MadeUp> {
            self.note(Kind::$kind);
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = MadeUp;

    scalar! {
        deserialize_any Any visit_unit;
        deserialize_bool Boolean visit_bool false;
        deserialize_i8 Integer visit_i8 0;
        deserialize_i16 Integer visit_i16 0;
        deserialize_i32 Integer visit_i32 0;
        deserialize_i64 Integer visit_i64 0;
        deserialize_u8 Integer visit_u8 0;
        deserialize_u16 Integer visit_u16 0;
        deserialize_u32 Integer visit_u32 0;
        deserialize_u64 Integer visit_u64 0;
        deserialize_f32 Float visit_f32 0.0;
        deserialize_f64 Float visit_f64 0.0;
        deserialize_char String visit_char 'a';
        deserialize_str String visit_str "";
        deserialize_string String visit_str "";
        deserialize_bytes Blob visit_bytes b"";
        deserialize_byte_buf Blob visit_bytes b"";
        deserialize_unit Any visit_unit;
        deserialize_identifier String visit_str "";
        deserialize_ignored_any Any visit_unit;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, MadeUp> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, MadeUp> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, MadeUp> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, MadeUp> {
        self.note(Kind::List);
        visitor.visit_seq(One { path: format!("{}[]", self.path), found: self.found, is_done: false })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, MadeUp> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, MadeUp> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, MadeUp> {
        self.note(Kind::Map);
        visitor.visit_map(One { path: format!("{}[]", self.path), found: self.found, is_done: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, MadeUp> {
        self.note(Kind::Structure);
        visitor.visit_map(Fields { path: self.path, fields, found: self.found })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, MadeUp> {
        self.note(Kind::String);
        match variants.first() {
            Some(variant) => visitor.visit_enum(de::value::StrDeserializer::<MadeUp>::new(variant)),
            None => Err(MadeUp("an enum without variants".into())),
        }
    }
}

/// A list or map with one made-up item.
struct One<'a> {
    path: String,
    found: &'a mut Vec<Member>,
    is_done: bool,
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = MadeUp;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, MadeUp> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(None);
        }
        seed.deserialize(Probe { path: self.path.clone(), found: self.found }).map(Some)
    }
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = MadeUp;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, MadeUp> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(None);
        }
        seed.deserialize(de::value::StrDeserializer::<MadeUp>::new("key")).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, MadeUp> {
        seed.deserialize(Probe { path: self.path.clone(), found: self.found })
    }
}

struct Fields<'a> {
    path: String,
    fields: &'static [&'static str],
    found: &'a mut Vec<Member>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = MadeUp;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, MadeUp> {
        let Some(field) = self.fields.first() else { return Ok(None) };
        seed.deserialize(de::value::StrDeserializer::<MadeUp>::new(field)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, MadeUp> {
        let (field, rest) = self.fields.split_first().expect("a key was given before its value");
        self.fields = rest;
        let path = if self.path.is_empty() { (*field).to_owned() } else { format!("{}.{field}", self.path) };
        seed.deserialize(Probe { path, found: self.found })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[allow(dead_code)]
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        name: String,
        routing: Option<Routing>,
        steps: Vec<Routing>,
    }

    #[allow(dead_code)]
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Routing {
        weights: BTreeMap<String, f64>,
    }

    #[test]
    fn every_member_is_found_with_its_kind() {
        let found = members::<Input>();
        let found: Vec<(&str, Kind)> =
            found.iter().map(|member| (member.path.as_str(), member.kind)).collect();
        assert_eq!(
            found,
            [
                ("Name", Kind::String),
                ("Routing", Kind::Structure),
                ("Routing.Weights", Kind::Map),
                ("Routing.Weights[]", Kind::Float),
                ("Steps", Kind::List),
                ("Steps[]", Kind::Structure),
                ("Steps[].Weights", Kind::Map),
                ("Steps[].Weights[]", Kind::Float),
            ]
        );
    }
}
