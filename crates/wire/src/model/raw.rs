//! Botocore's model language as serde sees it.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Text of a model; borrowed from it unless it has escapes, in which case it is kept for the rest of the process, as
/// models are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(pub &'static str);

impl Deserialize<'static> for Text {
    fn deserialize<D: Deserializer<'static>>(deserializer: D) -> Result<Text, D::Error> {
        struct Words;
        impl Visitor<'static> for Words {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'static str) -> Result<Text, E> {
                Ok(Text(text))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Box::leak(text.into())))
            }
        }
        deserializer.deserialize_str(Words)
    }
}

/// An object's entries in their order.
#[derive(Clone, Debug)]
pub struct Entries<T>(pub Vec<(&'static str, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<T: Deserialize<'static>> Deserialize<'static> for Entries<T> {
    fn deserialize<D: Deserializer<'static>>(deserializer: D) -> Result<Entries<T>, D::Error> {
        struct Walk<T>(PhantomData<T>);
        impl<T: Deserialize<'static>> Visitor<'static> for Walk<T> {
            type Value = Entries<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'static>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Walk(PhantomData))
    }
}

macro_rules! raw {
    ($(#[$meta:meta])* struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize, Clone, Debug, Default)]
        #[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'static"))]
        pub struct $name { $(pub $field: $type,)* }

        impl $name {
            /// Takes over every field that `other` sets.
            #[allow(dead_code)]
            pub fn overlay(&mut self, other: Self) {
                $(Overlay::overlay(&mut self.$field, other.$field);)*
            }
        }
    };
}

/// How a patch's field changes a model's.
pub trait Overlay {
    fn overlay(&mut self, other: Self);
}

impl<T> Overlay for Option<T> {
    fn overlay(&mut self, other: Self) {
        if other.is_some() {
            *self = other;
        }
    }
}

impl Overlay for bool {
    fn overlay(&mut self, other: Self) {
        *self |= other;
    }
}

impl<T> Overlay for Entries<T> {
    fn overlay(&mut self, other: Self) {
        for (name, value) in other.0 {
            match self.0.iter_mut().find(|(held, _)| *held == name) {
                Some((_, held)) => *held = value,
                None => self.0.push((name, value)),
            }
        }
    }
}

/// A whole file.
#[derive(serde::Deserialize, Debug)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct RawModel {
    pub metadata: RawMetadata,
    pub operations: Entries<RawOperation>,
    pub shapes: Entries<RawShape>,
}

raw! {
    struct RawMetadata {
        api_version: Option<Text>,
        endpoint_prefix: Option<Text>,
        signing_name: Option<Text>,
        service_id: Option<Text>,
        protocol: Option<Text>,
        protocols: Option<Vec<Text>>,
        json_version: Option<Text>,
        target_prefix: Option<Text>,
        xml_namespace: Option<RawNamespace>,
        aws_query_compatible: Option<serde::de::IgnoredAny>,
        member_path_root: Option<Text>,
        elements_not_null: bool,
        error_namespace: Option<Text>,
        validation_namespace: Option<Text>,
        validation_code: Option<Text>,
        blob_content_type: Option<Text>,
        malformed_body_code: Option<Text>,
        malformed_body_message: Option<Text>,
        host_word: Option<Text>,
        bare_errors: bool,
        body_bytes_max: Option<usize>,
    }
}

/// Plain text, or an object with a prefix.
#[derive(serde::Deserialize, Clone, Debug)]
#[serde(untagged, bound(deserialize = "'de: 'static"))]
pub enum RawNamespace {
    Plain(Text),
    Prefixed { uri: Text, prefix: Option<Text> },
}

raw! {
    struct RawOperation {
        http: Option<RawHttp>,
        input: Option<RawReference>,
        output: Option<RawReference>,
        errors: Option<Vec<RawReference>>,
        requestcompression: Option<serde::de::IgnoredAny>,
        endpoint: Option<RawEndpoint>,
        authtype: Option<Text>,
        request_bytes_max: Option<usize>,
    }
}

raw! {
    struct RawHttp {
        method: Option<Text>,
        request_uri: Option<Text>,
        response_code: Option<u16>,
    }
}

raw! {
    struct RawEndpoint {
        host_prefix: Option<Text>,
    }
}

raw! {
    struct RawReference {
        shape: Option<Text>,
        location: Option<Text>,
        location_name: Option<Text>,
        flattened: bool,
        timestamp_format: Option<Text>,
        idempotency_token: bool,
        host_label: bool,
        jsonvalue: bool,
        eventpayload: bool,
        xml_attribute: bool,
        xml_namespace: Option<RawNamespace>,
        result_wrapper: Option<Text>,
    }
}

raw! {
    struct RawShape {
        r#type: Option<Text>,
        members: Entries<RawReference>,
        required: Option<Vec<Text>>,
        payload: Option<Text>,
        member: Option<RawReference>,
        key: Option<RawReference>,
        value: Option<RawReference>,
        flattened: bool,
        location_name: Option<Text>,
        min: Option<f64>,
        max: Option<f64>,
        pattern: Option<Text>,
        too_long: Option<Text>,
        r#enum: Option<Vec<Text>>,
        sensitive: bool,
        streaming: bool,
        eventstream: bool,
        union: bool,
        unwrapped: bool,
        document: bool,
        exception: bool,
        fault: bool,
        error: Option<RawError>,
        timestamp_format: Option<Text>,
        xml_namespace: Option<RawNamespace>,
    }
}

raw! {
    struct RawError {
        code: Option<Text>,
        http_status_code: Option<u16>,
        sender_fault: Option<bool>,
        fault: bool,
    }
}
