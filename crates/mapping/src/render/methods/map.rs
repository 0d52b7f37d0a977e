//! Maps: what `java.util.Map` has. They keep the order in which their keys came.

use super::NOTHING;
use crate::error::Attempt;
use crate::render::Renderer;
use crate::value::{MapId, Value};

impl<'a> Renderer<'a> {
    pub(super) fn map_method(
        &mut self,
        id: MapId,
        name: &str,
        arguments: Vec<Value<'a>>,
    ) -> Attempt<Value<'a>> {
        let length = self.heap.map(id).len();
        match (name, arguments.as_slice()) {
            ("size", []) => Ok(Value::Integer(length as i64)),
            ("isEmpty", []) => Ok(Value::Boolean(length == 0)),
            ("get", [key]) => {
                let key = self.text(key)?;
                self.member(Value::Map(id), &key)
            }
            ("getOrDefault", [key, default]) => {
                let key = self.text(key)?;
                Ok(self.heap.map(id).get(&*key).copied().unwrap_or(*default))
            }
            ("put", [key, value]) => {
                let key = self.kept_text(key)?;
                self.heap.put(id, key, *value)
            }
            ("putIfAbsent", [key, value]) => {
                let key = self.kept_text(key)?;
                match self.heap.map(id).get(key) {
                    Some(there) => Ok(*there),
                    None => self.heap.put(id, key, *value),
                }
            }
            ("putAll", [other]) => {
                let Value::Map(other) = self.whole(*other)? else { return Ok(Value::Null) };
                self.heap.reserve(self.heap.map(other).len())?;
                let more = self.heap.map(other).clone();
                self.heap.map_mut(id).extend(more);
                Ok(NOTHING)
            }
            ("remove", [key]) => {
                let key = self.text(key)?;
                self.spend_bytes(length)?;
                Ok(self.heap.map_mut(id).shift_remove(&*key).unwrap_or(Value::Null))
            }
            ("clear", []) => {
                self.heap.map_mut(id).clear();
                Ok(NOTHING)
            }
            ("containsKey", [key]) => {
                let key = self.text(key)?;
                Ok(Value::Boolean(self.heap.map(id).contains_key(&*key)))
            }
            ("containsValue", [wanted]) => {
                for index in 0..length {
                    let Some((_, value)) = self.heap.map(id).get_index(index) else { break };
                    let value = *value;
                    if self.are_equal(&value, wanted)? {
                        return Ok(Value::Boolean(true));
                    }
                }
                Ok(Value::Boolean(false))
            }
            ("keySet", []) => {
                let keys = self.heap.map(id).keys().copied().map(Value::Text).collect();
                self.heap.new_list(keys)
            }
            ("values", []) => {
                let values = self.heap.map(id).values().copied().collect();
                self.heap.new_list(values)
            }
            ("entrySet", []) => self.entries(id),
            _ => Ok(Value::Null),
        }
    }

    fn entries(&mut self, id: MapId) -> Attempt<Value<'a>> {
        self.heap.reserve(self.heap.map(id).len())?;
        let mut entries = Vec::with_capacity(self.heap.map(id).len());
        for index in 0..self.heap.map(id).len() {
            let Some((key, value)) = self.heap.map(id).get_index(index) else { break };
            let (key, value) = (*key, *value);
            entries.push(self.heap.new_entry(key, value)?);
        }
        self.heap.new_list(entries)
    }
}
