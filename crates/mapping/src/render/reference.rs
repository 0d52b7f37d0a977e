//! Names to values, and values to names.

use super::methods::failed;
use super::{NO_CALL, Renderer};
use crate::ast::{Expression, Reference, Step};
use crate::error::{Attempt, RenderError};
use crate::names::Name;
use crate::value::{Group, Object, Value};
use crate::words::Meaning;

impl<'a> Renderer<'a> {
    #[inline]
    pub(super) fn reference(&mut self, reference: &'a Reference) -> Attempt<Value<'a>> {
        if reference.steps.is_empty() && !reference.name.is_given() {
            // What a variable has was settled before.
            return self.lookup(reference.name);
        }
        self.walk(reference)
    }

    fn walk(&mut self, reference: &'a Reference) -> Attempt<Value<'a>> {
        if reference.name == Name::CONTEXT
            && !self.renames
            && let Some(Some(member)) = self.member_of_context(&reference.steps)
        {
            self.spend(reference.steps.len() as u64)?;
            return self.heap.given(member);
        }
        let mut value = match given(reference.name) {
            Some(object) if !self.renames => Value::Object(object),
            _ => self.lookup(reference.name)?,
        };
        for step in &reference.steps {
            value = match (value, step) {
                (Value::Null, _) => break,
                (Value::Object(Object::Loop(number)), Step::Property(name)) => {
                    self.spend(1)?;
                    self.loop_member(number, name.meaning)
                }
                _ => self.step(value, step)?,
            };
        }
        self.settled(value)
    }

    /// What isn't made yet is, before anybody keeps it.
    pub(super) fn settled(&mut self, value: Value<'a>) -> Attempt<Value<'a>> {
        match value {
            Value::Object(Object::Parameters | Object::Group(_)) => self.whole(value),
            other => Ok(other),
        }
    }

    /// What is rendered for a reference without a value. Members of `$context` and `$stageVariables` that don't exist are empty, as
    /// AWS's own passthrough template relies on.
    pub(super) fn literal(&self, reference: &'a Reference) -> &'a str {
        let is_ours =
            matches!(reference.name, Name::CONTEXT | Name::STAGE_VARIABLES) && !reference.steps.is_empty();
        if reference.is_quiet || is_ours {
            return "";
        }
        if reference.is_bare() {
            // A macro's argument without a value shows as its caller wrote it.
            let arguments = self.calls.get(self.frame).map(|call| call.arguments.as_slice());
            let argument = arguments.unwrap_or_default().iter().find(|(name, _)| *name == reference.name);
            if let Some((_, Expression::Reference(written))) = argument {
                return &written.literal;
            }
        }
        &reference.literal
    }

    fn step(&mut self, value: Value<'a>, step: &'a Step) -> Attempt<Value<'a>> {
        self.spend(1)?;
        match step {
            Step::Property(name) => self.property(value, name),
            Step::Method(method) => match (value, method.arguments.as_slice()) {
                // The usual calls, without a list of arguments.
                (Value::Object(object @ (Object::Input | Object::Functions)), [argument])
                    if method.name.meaning != Meaning::Equals =>
                {
                    let argument = self.deeper(|renderer| renderer.value(argument))?;
                    match object {
                        Object::Input => self.input(method, &argument),
                        _ => self.function(&method.name, &argument),
                    }
                }
                (value, arguments) => {
                    let arguments = self.values(arguments)?;
                    self.method(value, &method.name, arguments)
                }
            },
            Step::Index(index) => {
                let index = self.deeper(|renderer| renderer.value(index))?;
                self.index(value, index)
            }
        }
    }

    fn index(&mut self, value: Value<'a>, index: Value<'a>) -> Attempt<Value<'a>> {
        match (value, index) {
            (Value::List(id), Value::Integer(index)) => self.element(id, index, "[]"),
            (Value::Object(Object::Block(_)), Value::Integer(..0)) => Err(no_end().into()),
            (map @ (Value::Map(_) | Value::Members(_) | Value::Object(_)), index) => {
                let name = self.text(&index)?;
                self.member(map, &name)
            }
            (_, Value::Integer(..0)) => Err(no_end().into()),
            _ => Ok(Value::Null),
        }
    }

    /// The value of a name: a macro's argument, what was set, or what is there from the beginning.
    #[inline]
    pub(super) fn lookup(&mut self, name: Name) -> Attempt<Value<'a>> {
        if self.frame != NO_CALL {
            return self.lookup_in_call(name);
        }
        let value = self.variables[name.number()];
        Ok(if value.is_null() { self.beginning(name) } else { value })
    }

    fn lookup_in_call(&mut self, name: Name) -> Attempt<Value<'a>> {
        let mut frame = self.frame;
        while let Some(here) = self.calls.get(frame) {
            let value = here.variables.get(name);
            if !value.is_null() {
                return Ok(value);
            }
            let caller = here.caller;
            let mut arguments = here.arguments.iter();
            if let Some((_, argument)) = arguments.find(|(parameter, _)| *parameter == name).copied() {
                return self.at(caller, |renderer| renderer.value(argument));
            }
            frame = caller;
        }
        let value = self.variables[name.number()];
        Ok(if value.is_null() { self.beginning(name) } else { value })
    }

    /// What a name stands for before anybody gives it to something.
    fn beginning(&self, name: Name) -> Value<'a> {
        match name {
            Name::VELOCITY_COUNT => match self.loop_now {
                Some(number) => Value::Integer(self.loops[number].index as i64 + 1),
                None => Value::Null,
            },
            Name::VELOCITY_HAS_NEXT => match self.loop_now {
                Some(number) => Value::Boolean(self.loops[number].index + 1 < self.loops[number].length),
                None => Value::Null,
            },
            _ => given(name).map_or(Value::Null, Value::Object),
        }
    }

    fn at<T>(&mut self, frame: usize, act: impl FnOnce(&mut Self) -> Attempt<T>) -> Attempt<T> {
        let now = std::mem::replace(&mut self.frame, frame);
        let done = self.deeper(act);
        self.frame = now;
        done
    }

    /// Sets a name here and where the macro was called from, as Velocity does without local scopes; null takes the name away.
    #[inline]
    pub(super) fn put(&mut self, name: Name, value: Value<'a>) {
        self.renames |= name.is_given();
        if self.frame != NO_CALL {
            self.put_in_calls(name, value);
        }
        self.variables[name.number()] = value;
    }

    #[cold]
    fn put_in_calls(&mut self, name: Name, value: Value<'a>) {
        let mut frame = self.frame;
        while let Some(here) = self.calls.get_mut(frame) {
            here.variables.set(name, value);
            frame = here.caller;
        }
    }

    /// `#set`: what there is no place for is passed over, as Velocity does.
    pub(super) fn assign(&mut self, target: &'a Reference, value: Value<'a>) -> Attempt<()> {
        let Some((last, path)) = target.steps.split_last() else {
            self.put(target.gives, value);
            return Ok(());
        };
        let mut owner = self.lookup(target.name)?;
        for step in path {
            if owner.is_null() {
                return Ok(());
            }
            owner = self.step(owner, step)?;
        }
        let key = match last {
            Step::Property(name) => Value::Text(&name.text),
            Step::Index(index) => self.deeper(|renderer| renderer.value(index))?,
            Step::Method(..) => return Ok(()),
        };
        match (self.settled(owner)?, key) {
            (Value::List(id), Value::Integer(index)) => self.set_element(id, index, value).map(|_| ()),
            (Value::Map(id), key) => {
                let key = self.kept_text(&key)?;
                self.heap.put(id, key, value).map(|_| ())
            }
            (Value::Null, _) => Ok(()),
            (_, Value::Integer(..0)) => Err(no_end().into()),
            _ => Ok(()),
        }
    }
}

/// AWS's object of a name.
fn given(name: Name) -> Option<Object> {
    Some(match name {
        Name::INPUT => Object::Input,
        Name::UTIL => Object::Functions,
        Name::CONTEXT => Object::Context,
        Name::STAGE_VARIABLES => Object::Group(Group::StageVariables),
        _ => return None,
    })
}

fn no_end() -> RenderError {
    failed("[]", "only a list has elements from its end")
}
