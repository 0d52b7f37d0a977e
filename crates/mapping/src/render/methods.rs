//! Methods of Java's classes that templates call. A method that isn't here gives no value, and its reference shows as it was written:
//! classes and reflection on purpose, and what nobody was seen to use (`String.format`, `toCharArray`, iterators, a list's `hashCode`).

mod list;
mod map;
mod text;

use super::Renderer;
use crate::error::{Attempt, RenderError};
use crate::number;
use crate::value::{ListId, Object, Value};
use crate::words::{Meaning, Word};

/// A method without a result shows as nothing.
const NOTHING: Value<'static> = Value::Text("");

impl<'a> Renderer<'a> {
    pub(super) fn property(&mut self, value: Value<'a>, name: &'a Word) -> Attempt<Value<'a>> {
        match (value, name.meaning) {
            (Value::Object(Object::Loop(number)), member) => Ok(self.loop_member(number, member)),
            (Value::Text(text), Meaning::Empty) => Ok(Value::Boolean(text.is_empty())),
            (Value::List(id), Meaning::Empty) => Ok(Value::Boolean(self.heap.list(id).is_empty())),
            (Value::Entry(_), _) => self.entry_method(&value, &name.text),
            _ => self.member(value, &name.text),
        }
    }

    /// A map's value by its key, and what the caller's objects have.
    pub(super) fn member(&mut self, value: Value<'a>, name: &str) -> Attempt<Value<'a>> {
        Ok(match value {
            Value::Map(id) => self.heap.map(id).get(name).copied().unwrap_or(Value::Null),
            Value::Members(members) => self.member_of(members, name)?,
            Value::Object(Object::Parameters) => return self.parameter_group(name),
            Value::Object(Object::Group(group)) => self.group_member(group, name)?,
            Value::Object(Object::Context) => return self.context(name),
            Value::Object(Object::Input) if name == "body" => Value::Text(self.body()),
            Value::Object(Object::Loop(number)) => self.loop_member(number, Meaning::of(name)),
            _ => Value::Null,
        })
    }

    pub(super) fn method(
        &mut self,
        value: Value<'a>,
        name: &'a Word,
        arguments: Vec<Value<'a>>,
    ) -> Attempt<Value<'a>> {
        let word = name;
        let name = &*word.text;
        match (name, arguments.as_slice()) {
            ("toString", []) => return self.kept_text(&value).map(Value::Text),
            ("equals", [other]) => return self.equals(&value, other),
            _ => {}
        }
        match value {
            Value::Object(Object::Input) if word.meaning == Meaning::Params && arguments.is_empty() => {
                Ok(Value::Object(Object::Parameters))
            }
            // With one argument they were called before.
            Value::Object(Object::Input | Object::Functions) => Ok(Value::Null),
            Value::Object(Object::Context) => match (name, arguments.as_slice()) {
                ("get", [key]) => {
                    let key = self.text(key)?;
                    self.context(&key)
                }
                _ => self.method(Value::Members(self.exchange.context), word, arguments),
            },
            Value::Object(Object::Loop(number)) => Ok(self.loop_member(number, Meaning::of_getter(name))),
            Value::Object(Object::Block(_)) | Value::Null => Ok(Value::Null),
            Value::Members(_) | Value::Object(Object::Parameters | Object::Group(_)) => {
                match (name, arguments.as_slice()) {
                    ("get", [key]) => {
                        let key = self.text(key)?;
                        self.member(value, &key)
                    }
                    _ => {
                        let whole = self.whole(value)?;
                        self.method(whole, word, arguments)
                    }
                }
            }
            Value::Text(text) => self.text_method(text, name, &arguments),
            Value::List(id) => self.list_method(id, name, arguments),
            Value::Map(id) => self.map_method(id, name, arguments),
            Value::Entry(_) => self.entry_method(&value, name),
            Value::Integer(_) | Value::Wide(_) | Value::Double(_) => number_method(&value, name, &arguments),
            Value::Boolean(truth) => Ok(match (name, arguments.as_slice()) {
                ("booleanValue", []) => Value::Boolean(truth),
                ("parseBoolean" | "valueOf", [Value::Text(text)]) => {
                    Value::Boolean(text.eq_ignore_ascii_case("true"))
                }
                _ => Value::Null,
            }),
        }
    }

    /// `Object.equals`: unlike `==` it knows kinds: 1 isn't "1".
    fn equals(&mut self, left: &Value<'a>, right: &Value<'a>) -> Attempt<Value<'a>> {
        let are_alike = std::mem::discriminant(left) == std::mem::discriminant(right);
        Ok(Value::Boolean(are_alike && self.are_equal(left, right)?))
    }

    fn entry_method(&mut self, value: &Value<'a>, name: &str) -> Attempt<Value<'a>> {
        let Value::Entry(id) = value else { return Ok(Value::Null) };
        let (key, value) = self.heap.entry(*id);
        Ok(match name {
            "key" | "getKey" => Value::Text(key),
            "value" | "getValue" => *value,
            _ => Value::Null,
        })
    }

    /// An element, from the end when negative.
    pub(super) fn element(&mut self, id: ListId, index: i64, method: &str) -> Attempt<Value<'a>> {
        let at = self.position(id, index, method)?;
        Ok(self.heap.list(id).get(at).copied().unwrap_or(Value::Null))
    }

    pub(super) fn set_element(&mut self, id: ListId, index: i64, value: Value<'a>) -> Attempt<Value<'a>> {
        let at = self.position(id, index, "[]")?;
        let place = self.heap.list_mut(id).get_mut(at);
        Ok(place.map_or(Value::Null, |place| std::mem::replace(place, value)))
    }

    fn position(&self, id: ListId, index: i64, method: &str) -> Attempt<usize> {
        let length = self.heap.list(id).len();
        let from_end = index < 0 && method == "[]";
        let index = if from_end { index.saturating_add(length as i64) } else { index };
        match usize::try_from(index) {
            Ok(at) if at < length => Ok(at),
            _ => Err(failed(method, "there is no element of this index").into()),
        }
    }
}

pub(super) fn failed(method: &str, reason: &'static str) -> RenderError {
    RenderError::Method { method: method.into(), reason }
}

/// A whole number of `value`, as Java would convert it for an `int`.
pub fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

/// `parseInt` and friends are static, and called through any number: `#set($Integer = 0) $Integer.parseInt($text)`.
fn number_method<'a>(value: &Value<'a>, name: &str, arguments: &[Value<'a>]) -> Attempt<Value<'a>> {
    let not_a_number = || failed(name, "its argument isn't a number");
    Ok(match (name, arguments, value) {
        ("parseInt" | "parseLong" | "valueOf", [Value::Text(text)], Value::Integer(_)) => {
            Value::Integer(text.parse().map_err(|_| not_a_number())?)
        }
        ("parseDouble" | "valueOf", [Value::Text(text)], Value::Double(_)) => {
            Value::Double(text.trim().parse().map_err(|_| not_a_number())?)
        }
        ("valueOf", [number], _) if number::is_number(number) => *number,
        ("intValue" | "longValue", [], Value::Integer(_)) => *value,
        ("intValue", [], Value::Double(number)) => Value::Integer(i64::from(*number as i32)),
        ("longValue", [], Value::Double(number)) => Value::Integer(*number as i64),
        ("doubleValue" | "floatValue", [], Value::Integer(number)) => Value::Double(*number as f64),
        ("doubleValue" | "floatValue", [], Value::Wide(number)) => Value::Double(*number as f64),
        ("doubleValue" | "floatValue", [], _) => *value,
        ("hashCode", [], Value::Integer(number)) if i32::try_from(*number).is_ok() => *value,
        ("hashCode", [], Value::Integer(number)) => {
            Value::Integer(i64::from((*number ^ (*number >> 32)) as i32))
        }
        ("compareTo", [other], _) => {
            number::compare(value, other).map_or(Value::Null, |order| Value::Integer(order as i64))
        }
        _ => Value::Null,
    })
}
