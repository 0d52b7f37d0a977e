//! The shape of a function's output, read without copying what needs no unescaping.
//!
//! Written out rather than derived because the service is pickier than a derived reader in some ways (an array is no
//! object) and more lenient in others (a number may be a string, `null` means absent, the last of two members wins).

use super::ANSWER_HEADERS_MAX;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

pub(super) struct Payload<'p> {
    /// 200 if the function says nothing.
    pub status: i64,
    pub headers: Vec<(Text<'p>, Text<'p>)>,
    pub multi: Vec<(Text<'p>, Vec<Text<'p>>)>,
    pub body: Option<Text<'p>>,
    pub is_base64: bool,
}

/// A string, borrowed where the JSON has no escapes.
pub(super) struct Text<'p>(pub Cow<'p, str>);

impl<'p> Deserialize<'p> for Payload<'p> {
    fn deserialize<D: Deserializer<'p>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(PayloadVisitor)
    }
}

struct PayloadVisitor;

impl<'p> Visitor<'p> for PayloadVisitor {
    type Value = Payload<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with statusCode, headers, multiValueHeaders, body and isBase64Encoded only")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<Payload<'p>, A::Error> {
        let mut read = Payload { status: 200, headers: vec![], multi: vec![], body: None, is_base64: false };
        while let Some(Text(member)) = map.next_key()? {
            match &*member {
                "statusCode" => {
                    read.status = map.next_value::<Option<Status>>()?.map_or(200, |status| status.0)
                }
                "headers" => read.headers = map.next_value::<Option<Pairs<_>>>()?.map_or(vec![], single),
                "multiValueHeaders" => {
                    read.multi = map.next_value::<Option<Pairs<_>>>()?.map_or(vec![], multi)
                }
                "body" => read.body = map.next_value()?,
                "isBase64Encoded" => read.is_base64 = map.next_value::<Option<bool>>()?.unwrap_or(false),
                other => return Err(A::Error::custom(format_args!("unknown member {other:?}"))),
            }
        }
        Ok(read)
    }
}

/// An integer, or a string of digits.
struct Status(i64);

impl<'p> Deserialize<'p> for Status {
    fn deserialize<D: Deserializer<'p>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StatusVisitor)
    }
}

struct StatusVisitor;

impl Visitor<'_> for StatusVisitor {
    type Value = Status;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer as statusCode")
    }

    fn visit_i64<E: Error>(self, status: i64) -> Result<Status, E> {
        Ok(Status(status))
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<Status, E> {
        Ok(Status(i64::try_from(status).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, status: f64) -> Result<Status, E> {
        let whole = status.fract() == 0.0 && status.abs() < 1e9;
        if whole {
            Ok(Status(status as i64))
        } else {
            Err(E::invalid_value(Unexpected::Float(status), &self))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Status, E> {
        let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        let status = if digits { text.parse().ok() } else { None };
        status.map(Status).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'p> Deserialize<'p> for Text<'p> {
    fn deserialize<D: Deserializer<'p>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'p> Visitor<'p> for TextVisitor {
    type Value = Text<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'p str) -> Result<Text<'p>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'p>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text<'p>, E> {
        Ok(Text(Cow::Owned(text)))
    }
}

/// A header's value: a string, or a boolean that becomes one.
struct HeaderText<'p>(Text<'p>);

impl<'p> Deserialize<'p> for HeaderText<'p> {
    fn deserialize<D: Deserializer<'p>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(HeaderTextVisitor)
    }
}

struct HeaderTextVisitor;

impl<'p> Visitor<'p> for HeaderTextVisitor {
    type Value = HeaderText<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a boolean as a header's value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<HeaderText<'p>, E> {
        Ok(HeaderText(Text(Cow::Borrowed(if value { "true" } else { "false" }))))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'p str) -> Result<HeaderText<'p>, E> {
        TextVisitor.visit_borrowed_str(text).map(HeaderText)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HeaderText<'p>, E> {
        TextVisitor.visit_str(text).map(HeaderText)
    }
}

/// A list of header values.
struct HeaderTexts<'p>(Vec<Text<'p>>);

impl<'p> Deserialize<'p> for HeaderTexts<'p> {
    fn deserialize<D: Deserializer<'p>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(HeaderTextsVisitor)
    }
}

struct HeaderTextsVisitor;

impl<'p> Visitor<'p> for HeaderTextsVisitor {
    type Value = HeaderTexts<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values in multiValueHeaders")
    }

    fn visit_seq<A: SeqAccess<'p>>(self, mut list: A) -> Result<HeaderTexts<'p>, A::Error> {
        let mut texts = Vec::new();
        while let Some(HeaderText(text)) = list.next_element()? {
            room(texts.len())?;
            texts.push(text);
        }
        Ok(HeaderTexts(texts))
    }
}

/// An object's members in order.
struct Pairs<'p, V>(Vec<(Text<'p>, V)>);

impl<'p, V: Deserialize<'p>> Deserialize<'p> for Pairs<'p, V> {
    fn deserialize<D: Deserializer<'p>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<V>(PhantomData<V>);

impl<'p, V: Deserialize<'p>> Visitor<'p> for PairsVisitor<V> {
    type Value = Pairs<'p, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of headers")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<Pairs<'p, V>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            room(pairs.len())?;
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

fn room<E: Error>(held: usize) -> Result<(), E> {
    let fits = held < ANSWER_HEADERS_MAX;
    fits.then_some(()).ok_or_else(|| E::custom(format_args!("more than {ANSWER_HEADERS_MAX} headers")))
}

fn single<'p>(Pairs(pairs): Pairs<'p, HeaderText<'p>>) -> Vec<(Text<'p>, Text<'p>)> {
    pairs.into_iter().map(|(name, HeaderText(value))| (name, value)).collect()
}

fn multi<'p>(Pairs(pairs): Pairs<'p, HeaderTexts<'p>>) -> Vec<(Text<'p>, Vec<Text<'p>>)> {
    pairs.into_iter().map(|(name, HeaderTexts(values))| (name, values)).collect()
}
