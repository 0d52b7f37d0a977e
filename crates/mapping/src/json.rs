//! JSON text to values of a heap and back. Members keep their order; of members of one name the last one counts. Numbers have 64 bits: whole
//! ones beyond them, and more digits than a double has, come out rounded, where AWS's parser keeps them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::{Attempt, RenderError};
use crate::members::Member;
use crate::value::{Heap, Map, Value};

/// How deep a value may nest that is written; the parser's own bound is 128.
pub const DEPTH_MAX: usize = 128;

/// `None` when the text isn't JSON.
pub fn parse<'a>(text: &'a str, heap: &mut Heap<'a>) -> Attempt<Option<Value<'a>>> {
    let mut full = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Seed { heap, full: &mut full }.deserialize(&mut deserializer);
    if let Some(error) = full {
        return Err(error);
    }
    Ok(value.ok().filter(|_| deserializer.end().is_ok()))
}

struct Seed<'h, 'a> {
    heap: &'h mut Heap<'a>,
    /// Why the heap took no more: serde's errors are texts.
    full: &'h mut Option<Box<RenderError>>,
}

impl<'a> Seed<'_, 'a> {
    fn keep<T, E: Error>(&mut self, made: Attempt<T>) -> Result<T, E> {
        made.map_err(|error| {
            let said = E::custom(&error);
            *self.full = Some(error);
            said
        })
    }

    fn inner(&mut self) -> Seed<'_, 'a> {
        Seed { heap: self.heap, full: self.full }
    }
}

impl<'a> DeserializeSeed<'a> for Seed<'_, 'a> {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Value<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Seed<'_, 'a> {
    type Value = Value<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'a>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value<'a>, E> {
        Ok(Value::Boolean(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'a>, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'a>, E> {
        Ok(i64::try_from(number).map_or(Value::Wide(number), Value::Integer))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'a>, E> {
        Ok(Value::Double(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::Text(text))
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<Value<'a>, E> {
        let kept = self.heap.keep(text);
        self.keep(kept).map(Value::Text)
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut access: A) -> Result<Value<'a>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(self.inner())? {
            elements.push(element);
        }
        let made = self.heap.new_json_list(elements);
        self.keep(made)
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut access: A) -> Result<Value<'a>, A::Error> {
        let mut members = Map::default();
        while let Some(name) = access.next_key_seed(Name(self.inner()))? {
            let member = access.next_value_seed(self.inner())?;
            members.insert(name, member);
        }
        let made = self.heap.new_map(members);
        self.keep(made).map(Value::Map)
    }
}

/// A member's name.
struct Name<'h, 'a>(Seed<'h, 'a>);

impl<'a> DeserializeSeed<'a> for Name<'_, 'a> {
    type Value = &'a str;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<&'a str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name<'_, 'a> {
    type Value = &'a str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<&'a str, E> {
        Ok(text)
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<&'a str, E> {
        let kept = self.0.heap.keep(text);
        self.0.keep(kept)
    }
}

/// How strings are written. Both are those of json-smart, the library under Jayway's; also what it escapes without need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Jayway's `toJson`.
    Json,
    /// `JSONArray.toString`, which guards slashes too.
    Shown,
}

/// Writes a value as compact JSON. What JSON doesn't know (`$input`, blocks) is written as null.
pub fn write(
    value: &Value<'_>,
    heap: &Heap<'_>,
    out: &mut String,
    style: Style,
    bytes_max: usize,
) -> Attempt<()> {
    write_at(value, heap, out, style, bytes_max, 0)
}

fn write_at(
    value: &Value<'_>,
    heap: &Heap<'_>,
    out: &mut String,
    style: Style,
    bytes_max: usize,
    depth: usize,
) -> Attempt<()> {
    if depth > DEPTH_MAX {
        return Err(RenderError::TooDeep(DEPTH_MAX).into());
    }
    if out.len() > bytes_max {
        return Err(RenderError::TextTooLong(bytes_max).into());
    }
    match value {
        Value::Null | Value::Object(_) => out.push_str("null"),
        Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Integer(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::Wide(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::Double(number) if !number.is_finite() => out.push_str("null"),
        Value::Double(number) => out.push_str(&crate::number::double_text(*number)),
        Value::Text(text) => write_text(text, style, out),
        Value::Members(members) => out.push_str(&Member::Members(*members).to_text()),
        Value::List(id) => {
            out.push('[');
            for (index, element) in heap.list(*id).iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_at(element, heap, out, style, bytes_max, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(id) => {
            out.push('{');
            for (index, (name, member)) in heap.map(*id).iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, style, out);
                out.push(':');
                write_at(member, heap, out, style, bytes_max, depth + 1)?;
            }
            out.push('}');
        }
        Value::Entry(id) => {
            let (name, member) = heap.entry(*id);
            out.push('{');
            write_text(name, style, out);
            out.push(':');
            write_at(member, heap, out, style, bytes_max, depth + 1)?;
            out.push('}');
        }
    }
    Ok(())
}

/// A JSON string.
pub fn write_text(text: &str, style: Style, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, letter) in text.char_indices() {
        let escape = match letter {
            '"' => "\\\"",
            '\\' => "\\\\",
            '/' if style == Style::Shown => "\\/",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\0'..'\u{20}' | '\u{7f}'..='\u{9f}' | '\u{2000}'..='\u{20ff}' => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        if escape.is_empty() {
            out.push_str(&format!("\\u{:04X}", u32::from(letter)));
        } else {
            out.push_str(escape);
        }
        plain = at + letter.len_utf8();
    }
    out.push_str(&text[plain..]);
    out.push('"');
}
