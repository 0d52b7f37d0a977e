//! Lists: what `java.util.List` has.

use super::{NOTHING, failed, whole};
use crate::error::Attempt;
use crate::render::Renderer;
use crate::value::{ListId, Value};

impl<'a> Renderer<'a> {
    pub(super) fn list_method(
        &mut self,
        id: ListId,
        name: &str,
        mut arguments: Vec<Value<'a>>,
    ) -> Attempt<Value<'a>> {
        let length = self.heap.list(id).len();
        match (name, arguments.as_mut_slice()) {
            ("size", []) => Ok(Value::Integer(length as i64)),
            ("isEmpty", []) => Ok(Value::Boolean(length == 0)),
            ("get", [Value::Integer(index)]) => {
                let index = *index;
                self.element(id, index, "get")
            }
            ("add", [value]) => {
                self.heap.push(id, *value)?;
                Ok(Value::Boolean(true))
            }
            ("add", [index, value]) => {
                let at = whole(index).and_then(|index| usize::try_from(index).ok());
                let at =
                    at.filter(|at| *at <= length).ok_or_else(|| failed("add", "there is no such place"))?;
                self.spend_bytes(length)?;
                self.heap.reserve(1)?;
                self.heap.list_mut(id).insert(at, *value);
                Ok(NOTHING)
            }
            ("set", [Value::Integer(index), value]) => {
                let (index, value) = (*index, *value);
                if index < 0 {
                    return Err(failed("set", "there is no element of this index").into());
                }
                self.set_element(id, index, value)
            }
            ("addAll", [other]) => self.add_all(id, other),
            ("remove", [Value::Integer(index)]) => {
                let index = *index;
                let removed = self.element(id, index, "remove")?;
                self.spend_bytes(length)?;
                self.heap.list_mut(id).remove(index as usize);
                Ok(removed)
            }
            ("remove", [value]) => {
                let at = self.index_of(id, value)?;
                if let Some(at) = at {
                    self.heap.list_mut(id).remove(at);
                }
                Ok(Value::Boolean(at.is_some()))
            }
            ("clear", []) => {
                self.heap.list_mut(id).clear();
                Ok(NOTHING)
            }
            ("contains", [value]) => Ok(Value::Boolean(self.index_of(id, value)?.is_some())),
            ("containsAll", [Value::List(others)]) => {
                for other in self.heap.list(*others).clone() {
                    if self.index_of(id, &other)?.is_none() {
                        return Ok(Value::Boolean(false));
                    }
                }
                Ok(Value::Boolean(true))
            }
            ("indexOf", [value]) => {
                let at = self.index_of(id, value)?;
                Ok(Value::Integer(at.map_or(-1, |at| at as i64)))
            }
            ("lastIndexOf", [value]) => self.last_index_of(id, value),
            ("subList", [from, to]) => {
                let ends = (whole(from), whole(to));
                let (Some(from), Some(to)) = ends else { return Ok(Value::Null) };
                let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
                let part = range.and_then(|(from, to)| self.heap.list(id).get(from..to));
                let part = part.ok_or_else(|| failed("subList", "there are no such places"))?.to_vec();
                self.heap.new_list(part)
            }
            _ => Ok(Value::Null),
        }
    }

    fn add_all(&mut self, id: ListId, other: &Value<'a>) -> Attempt<Value<'a>> {
        let Value::List(other) = self.whole(*other)? else { return Ok(Value::Null) };
        self.heap.reserve(self.heap.list(other).len())?;
        let more = self.heap.list(other).clone();
        let changed = !more.is_empty();
        self.heap.list_mut(id).extend(more);
        Ok(Value::Boolean(changed))
    }

    fn last_index_of(&mut self, id: ListId, wanted: &Value<'a>) -> Attempt<Value<'a>> {
        for index in (0..self.heap.list(id).len()).rev() {
            let Some(element) = self.heap.list(id).get(index).copied() else { break };
            let are_alike = std::mem::discriminant(&element) == std::mem::discriminant(wanted);
            if are_alike && self.are_equal(&element, wanted)? {
                return Ok(Value::Integer(index as i64));
            }
        }
        Ok(Value::Integer(-1))
    }

    fn index_of(&mut self, id: ListId, wanted: &Value<'a>) -> Attempt<Option<usize>> {
        let mut index = 0;
        while let Some(element) = self.heap.list(id).get(index).copied() {
            self.spend(1)?;
            let are_alike = std::mem::discriminant(&element) == std::mem::discriminant(wanted);
            if are_alike && self.are_equal(&element, wanted)? {
                return Ok(Some(index));
            }
            index += 1;
        }
        Ok(None)
    }
}
