//! Names to values, and values to names.

use super::Renderer;
use super::methods::failed;
use crate::ast::{Expression, Reference, Step};
use crate::error::{Attempt, RenderError};
use crate::names::Name;
use crate::value::{Group, Object, Value};

impl<'a> Renderer<'a> {
    pub(super) fn reference(&mut self, reference: &'a Reference) -> Attempt<Value<'a>> {
        let mut value = match given(reference.name) {
            Some(object) if !self.renames => Value::Object(object),
            _ => self.lookup(reference.name)?,
        };
        for step in &reference.steps {
            if value.is_null() {
                break;
            }
            value = self.step(value, step)?;
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
            let arguments = &self.frames[self.frame].arguments;
            let argument = arguments.iter().find(|(name, _)| *name == reference.name);
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
            Step::Method(name, arguments) => match (value, arguments.as_slice()) {
                // The usual calls, without a list of arguments.
                (Value::Object(Object::Input), [argument]) if !is_of_all(name) => {
                    let argument = self.deeper(|renderer| renderer.value(argument))?;
                    self.input(name, &[argument])
                }
                (Value::Object(Object::Functions), [argument]) if !is_of_all(name) => {
                    let argument = self.deeper(|renderer| renderer.value(argument))?;
                    self.function(name, &[argument])
                }
                (value, arguments) => {
                    let arguments = self.values(arguments)?;
                    self.method(value, name, arguments)
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
                self.member(map, name)
            }
            (_, Value::Integer(..0)) => Err(no_end().into()),
            _ => Ok(Value::Null),
        }
    }

    /// The value of a name: a macro's argument, what was set, or what is there from the beginning.
    pub(super) fn lookup(&mut self, name: Name) -> Attempt<Value<'a>> {
        let mut frame = self.frame;
        loop {
            let here = &self.frames[frame];
            if let Some(value) = here.variables.get(name) {
                return Ok(value.clone());
            }
            let argument =
                here.arguments.iter().find(|(parameter, _)| *parameter == name).map(|(_, value)| *value);
            if let (Some(argument), Some(caller)) = (argument, here.caller) {
                return self.at(caller, |renderer| renderer.value(argument));
            }
            match here.caller {
                Some(caller) => frame = caller,
                None => return Ok(self.beginning(name)),
            }
        }
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
    pub(super) fn put(&mut self, name: Name, value: Value<'a>) -> Attempt<()> {
        self.renames |= name.is_given();
        let mut frame = self.frame;
        loop {
            let here = &mut self.frames[frame];
            let Some(caller) = here.caller else {
                here.variables.set(name, value);
                return Ok(());
            };
            here.variables.set(name, value.clone());
            frame = caller;
        }
    }

    /// `#set`: what there is no place for is passed over, as Velocity does.
    pub(super) fn assign(&mut self, target: &'a Reference, value: Value<'a>) -> Attempt<()> {
        let Some((last, path)) = target.steps.split_last() else {
            return self.put(target.gives, value);
        };
        let mut owner = self.lookup(target.name)?;
        for step in path {
            if owner.is_null() {
                return Ok(());
            }
            owner = self.step(owner, step)?;
        }
        let key = match last {
            Step::Property(name) => Value::borrowed(name),
            Step::Index(index) => self.deeper(|renderer| renderer.value(index))?,
            Step::Method(..) => return Ok(()),
        };
        match (self.settled(owner)?, key) {
            (Value::List(id), Value::Integer(index)) => self.set_element(id, index, value).map(|_| ()),
            (Value::Map(id), key) => {
                let key = self.text(&key)?;
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

/// What every value answers to, if it takes one argument.
fn is_of_all(method: &str) -> bool {
    method == "equals"
}

fn no_end() -> RenderError {
    failed("[]", "only a list has elements from its end")
}
