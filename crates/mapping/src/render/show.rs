//! Values to text, as Java's `toString`.

use std::borrow::Cow;

use super::{Renderer, TEXT_BYTES_MAX};
use crate::error::{Attempt, RenderError};
use crate::json::{self, Style};
use crate::number;
use crate::value::{Object, Value};

impl<'a> Renderer<'a> {
    /// Writes to the output; only texts that aren't there yet are made.
    pub(super) fn write_value(&mut self, value: &Value<'a>) -> Attempt<()> {
        match value {
            Value::Integer(number) => self.write(itoa::Buffer::new().format(*number)),
            Value::Wide(number) => self.write(itoa::Buffer::new().format(*number)),
            Value::Text(text) => self.write(text),
            _ => {
                let text = self.text(value)?;
                self.write(&text)
            }
        }
    }

    pub(super) fn text(&mut self, value: &Value<'a>) -> Attempt<Cow<'a, str>> {
        if let Value::Text(text) = value {
            return Ok(Cow::Borrowed(text));
        }
        let mut shown = String::new();
        self.show(value, &mut shown)?;
        self.spend_bytes(shown.len())?;
        Ok(Cow::Owned(shown))
    }

    /// The same to stay.
    pub(super) fn kept_text(&mut self, value: &Value<'a>) -> Attempt<&'a str> {
        match self.text(value)? {
            Cow::Borrowed(text) => Ok(text),
            Cow::Owned(text) => self.heap.keep(text),
        }
    }

    fn show(&mut self, value: &Value<'a>, out: &mut String) -> Attempt<()> {
        if out.len() > TEXT_BYTES_MAX {
            return Err(RenderError::TextTooLong(TEXT_BYTES_MAX).into());
        }
        match value {
            Value::Null => out.push_str("null"),
            Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Integer(number) => out.push_str(itoa::Buffer::new().format(*number)),
            Value::Wide(number) => out.push_str(itoa::Buffer::new().format(*number)),
            Value::Double(number) => out.push_str(&number::double_text(*number)),
            Value::Text(text) => out.push_str(text),
            Value::List(id) if self.heap.is_json(*id) => {
                json::write(value, &self.heap, out, Style::Shown, TEXT_BYTES_MAX)?;
            }
            Value::List(id) => {
                let id = *id;
                self.deeper(|renderer| {
                    out.push('[');
                    let mut index = 0;
                    while let Some(element) = renderer.heap.list(id).get(index).copied() {
                        renderer.separate(index, out)?;
                        renderer.show(&element, out)?;
                        index += 1;
                    }
                    out.push(']');
                    Ok(())
                })?;
            }
            Value::Map(id) => {
                let id = *id;
                self.deeper(|renderer| {
                    out.push('{');
                    let mut index = 0;
                    while let Some((key, member)) = renderer.heap.map(id).get_index(index) {
                        let (key, member) = (*key, *member);
                        renderer.separate(index, out)?;
                        renderer.show_pair(key, &member, out)?;
                        index += 1;
                    }
                    out.push('}');
                    Ok(())
                })?;
            }
            Value::Entry(id) => {
                let (key, member) = *self.heap.entry(*id);
                self.deeper(|renderer| renderer.show_pair(key, &member, out))?;
            }
            Value::Members(_) => {
                let whole = self.whole(*value)?;
                self.show(&whole, out)?;
            }
            Value::Object(object) => self.show_object(*object, out)?,
        }
        Ok(())
    }

    fn separate(&mut self, index: usize, out: &mut String) -> Attempt<()> {
        if index > 0 {
            out.push_str(", ");
        }
        self.spend(1)
    }

    fn show_pair(&mut self, key: &str, member: &Value<'a>, out: &mut String) -> Attempt<()> {
        out.push_str(key);
        out.push('=');
        self.show(member, out)
    }

    fn show_object(&mut self, object: Object, out: &mut String) -> Attempt<()> {
        match object {
            Object::Block(number) => {
                if let Some(text) = self.block_text(number)? {
                    out.push_str(&text);
                }
            }
            Object::Context => {
                let context = Value::Members(self.exchange.context);
                self.show(&context, out)?;
            }
            Object::Parameters | Object::Group(_) => {
                let whole = self.whole(Value::Object(object))?;
                self.show(&whole, out)?;
            }
            // Java would write a class's name and an address, which nobody can use.
            Object::Input | Object::Functions | Object::Loop(_) => {}
        }
        Ok(())
    }

    /// What the caller has as a map of the template's own. Parameters and stage variables are the same one each time: what
    /// is put into them stays.
    pub(super) fn whole(&mut self, value: Value<'a>) -> Attempt<Value<'a>> {
        match value {
            Value::Members(members) => self.heap.adopt_all(members).map(Value::Map),
            Value::Object(Object::Parameters) => self.parameters().map(Value::Map),
            Value::Object(Object::Group(group)) => self.group(group).map(Value::Map),
            other => Ok(other),
        }
    }
}
