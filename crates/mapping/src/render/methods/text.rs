//! Strings: what `java.lang.String` has. Positions count UTF-16 units, as Java's do.

use super::{failed, whole};
use crate::error::{Attempt, RenderError};
use crate::pattern::{self, Pattern};
use crate::render::{Renderer, TEXT_BYTES_MAX};
use crate::value::{ListId, Value};

impl<'a> Renderer<'a> {
    pub(super) fn text_method(
        &mut self,
        this: &'a str,
        name: &str,
        arguments: &[Value<'a>],
    ) -> Attempt<Value<'a>> {
        self.spend_bytes(this.len())?;
        if let Some(value) = plain(this, name, arguments) {
            return Ok(value);
        }
        match (name, arguments) {
            ("toLowerCase", []) => self.new_text(this.to_lowercase()),
            ("toUpperCase", []) => self.new_text(this.to_uppercase()),
            ("trim", []) => self.part(this.trim_matches(|letter| letter <= ' ')),
            ("strip", []) => self.part(this.trim()),
            ("intern", []) => Ok(Value::Text(this)),
            ("concat", [Value::Text(more)]) => self.new_text([this, more].concat()),
            ("substring" | "subSequence", [from]) => {
                let from = whole(from).ok_or_else(|| failed(name, "it takes a whole number"))?;
                self.substring(this, from, None)
            }
            ("substring" | "subSequence", [from, to]) => {
                let (Some(from), Some(to)) = (whole(from), whole(to)) else {
                    return Err(failed(name, "it takes whole numbers").into());
                };
                self.substring(this, from, Some(to))
            }
            ("charAt", [Value::Integer(index)]) => {
                self.substring(this, *index, Some(index.saturating_add(1)))
            }
            ("replace", [from, to]) => {
                let (from, to) = (self.text(from)?, self.text(to)?);
                self.replace(this, &from, &to)
            }
            ("repeat", [Value::Integer(times)]) => {
                let times = usize::try_from(*times).map_err(|_| failed(name, "the count is negative"))?;
                if this.len().saturating_mul(times) > TEXT_BYTES_MAX {
                    return Err(RenderError::TextTooLong(TEXT_BYTES_MAX).into());
                }
                self.new_text(this.repeat(times))
            }
            ("replaceAll", [pattern, to]) => self.replace_pattern(this, pattern, to, usize::MAX),
            ("replaceFirst", [pattern, to]) => self.replace_pattern(this, pattern, to, 1),
            ("matches", [pattern]) => {
                let pattern = self.text(pattern)?;
                let mut spend = |steps| self.spend(steps);
                pattern::matches_whole(&pattern, this, &mut spend).map(Value::Boolean)
            }
            ("valueOf", [value]) => self.kept_text(value).map(Value::Text),
            ("join", [Value::Text(between), Value::List(id)]) => self.join(between, *id),
            ("split", [pattern]) => self.split(this, pattern, 0),
            ("split", [pattern, Value::Integer(limit)]) => self.split(this, pattern, *limit),
            _ => Ok(Value::Null),
        }
    }

    fn substring(&mut self, text: &'a str, from: i64, to: Option<i64>) -> Attempt<Value<'a>> {
        let outside = || failed("substring", "there are no such places");
        let start = byte_of(text, from).ok_or_else(outside)?;
        let end = match to {
            None => text.len(),
            Some(to) => byte_of(text, to).ok_or_else(outside)?,
        };
        self.part(text.get(start..end).ok_or_else(outside)?)
    }

    /// A text within another.
    fn part(&mut self, part: &'a str) -> Attempt<Value<'a>> {
        self.spend_bytes(part.len())?;
        Ok(Value::Text(part))
    }

    fn replace(&mut self, text: &str, from: &str, to: &str) -> Attempt<Value<'a>> {
        let found = text.matches(from).count();
        if text.len().saturating_add(found.saturating_mul(to.len())) > TEXT_BYTES_MAX {
            return Err(RenderError::TextTooLong(TEXT_BYTES_MAX).into());
        }
        self.new_text(text.replace(from, to))
    }

    fn replace_pattern(
        &mut self,
        text: &str,
        pattern: &Value<'a>,
        replacement: &Value<'a>,
        times: usize,
    ) -> Attempt<Value<'a>> {
        let (pattern, replacement) = (self.text(pattern)?, self.text(replacement)?);
        let mut spend = |steps| self.spend(steps);
        let pattern = Pattern::compile(&pattern, &mut spend)?;
        let replaced = pattern
            .replace(text, &replacement, times, TEXT_BYTES_MAX, &mut spend)?
            .ok_or_else(|| failed("replaceAll", "the replacement names no group or ends too early"))?;
        self.new_text(replaced)
    }

    fn split(&mut self, text: &'a str, pattern: &Value<'a>, limit: i64) -> Attempt<Value<'a>> {
        let pattern = self.text(pattern)?;
        let mut spend = |steps| self.spend(steps);
        let pieces = Pattern::compile(&pattern, &mut spend)?.split(text, limit, &mut spend)?;
        self.heap.reserve(pieces.len())?;
        let pieces = pieces.into_iter().map(Value::Text).collect();
        self.heap.new_list(pieces)
    }

    fn join(&mut self, between: &str, id: ListId) -> Attempt<Value<'a>> {
        let mut joined = String::new();
        let mut index = 0;
        while let Some(element) = self.heap.list(id).get(index).copied() {
            if index > 0 {
                joined.push_str(between);
            }
            self.spend(1)?;
            joined.push_str(&self.text(&element)?);
            if joined.len() > TEXT_BYTES_MAX {
                return Err(RenderError::TextTooLong(TEXT_BYTES_MAX).into());
            }
            index += 1;
        }
        self.new_text(joined)
    }
}

/// What can be said without making a text.
fn plain<'a>(this: &str, name: &str, arguments: &[Value<'a>]) -> Option<Value<'a>> {
    Some(match (name, arguments) {
        ("length" | "size", []) if name == "length" => Value::Integer(units(this)),
        ("isEmpty", []) => Value::Boolean(this.is_empty()),
        ("isBlank", []) => Value::Boolean(this.trim().is_empty()),
        ("hashCode", []) => Value::Integer(i64::from(
            this.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit))),
        )),
        ("contains", [Value::Text(part)]) => Value::Boolean(this.contains(part)),
        ("startsWith", [Value::Text(part)]) => Value::Boolean(this.starts_with(part)),
        ("endsWith", [Value::Text(part)]) => Value::Boolean(this.ends_with(part)),
        ("equalsIgnoreCase", [Value::Text(other)]) => {
            Value::Boolean(this.to_lowercase() == other.to_lowercase())
        }
        ("compareTo", [Value::Text(other)]) => Value::Integer(difference(this, other)),
        ("compareToIgnoreCase", [Value::Text(other)]) => {
            Value::Integer(difference(&this.to_lowercase(), &other.to_lowercase()))
        }
        ("indexOf", [Value::Text(part)]) => Value::Integer(place(this, this.find(part))),
        ("indexOf", [Value::Text(part), Value::Integer(from)]) => {
            let start = byte_of(this, (*from).max(0));
            let found = start.and_then(|start| Some(start + this.get(start..)?.find(part)?));
            Value::Integer(place(this, found))
        }
        ("lastIndexOf", [Value::Text(part)]) => Value::Integer(place(this, this.rfind(part))),
        _ => return None,
    })
}

fn units(text: &str) -> i64 {
    text.encode_utf16().count() as i64
}

fn place(text: &str, byte: Option<usize>) -> i64 {
    byte.map_or(-1, |byte| units(&text[..byte]))
}

/// The byte at which the UTF-16 unit `index` begins; the second half of a pair begins nowhere.
fn byte_of(text: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    if text.is_ascii() {
        return (index <= text.len()).then_some(index);
    }
    let mut at = 0;
    for (byte, letter) in text.char_indices() {
        if at == index {
            return Some(byte);
        }
        at += letter.len_utf16();
    }
    (at == index).then_some(text.len())
}

/// As `String.compareTo`.
fn difference(left: &str, right: &str) -> i64 {
    let unlike = left.encode_utf16().zip(right.encode_utf16()).find(|(left, right)| left != right);
    match unlike {
        Some((left, right)) => i64::from(left) - i64::from(right),
        None => units(left) - units(right),
    }
}
