//! Expressions to values.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Renderer;
use crate::ast::{Expression, Operator};
use crate::error::{Attempt, RenderError};
use crate::number;
use crate::value::{Map, Value};

/// `[first..last]`: no more elements than a rendering may have values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    first: i64,
    pub count: usize,
    goes_down: bool,
}

impl Range {
    pub fn at<'a>(self, index: usize) -> Value<'a> {
        let distance = index as i64;
        Value::Integer(if self.goes_down { self.first - distance } else { self.first + distance })
    }
}

impl<'a> Renderer<'a> {
    #[inline]
    pub(super) fn value(&mut self, expression: &'a Expression) -> Attempt<Value<'a>> {
        self.spend(1)?;
        match expression {
            Expression::Text(text) => Ok(Value::Text(text)),
            Expression::Integer(number) => Ok(Value::Integer(*number)),
            Expression::Reference(reference) => self.reference(reference),
            other => self.made(other),
        }
    }

    fn made(&mut self, expression: &'a Expression) -> Attempt<Value<'a>> {
        Ok(match expression {
            Expression::Text(text) => Value::Text(text),
            Expression::Interpolated(block) => {
                let text = self.aside(block)?;
                Value::Text(self.heap.keep(text)?)
            }
            Expression::Integer(number) => Value::Integer(*number),
            Expression::Double(number) => Value::Double(*number),
            Expression::Boolean(truth) => Value::Boolean(*truth),
            Expression::Reference(reference) => self.reference(reference)?,
            Expression::List(elements) => {
                let elements = self.values(elements)?;
                self.heap.new_list(elements)?
            }
            Expression::Map(entries) => self.map(entries)?,
            Expression::Range(ends) => self.range(ends)?,
            Expression::Not(_) => Value::Boolean(self.is_true(expression)?),
            Expression::Binary(Operator::And | Operator::Or, _) => Value::Boolean(self.is_true(expression)?),
            Expression::Binary(operator, sides) => {
                return self.deeper(|renderer| renderer.binary(*operator, &sides.0, &sides.1));
            }
        })
    }

    pub(super) fn values(&mut self, expressions: &'a [Expression]) -> Attempt<Vec<Value<'a>>> {
        self.deeper(|renderer| expressions.iter().map(|expression| renderer.value(expression)).collect())
    }

    /// As a condition: a boolean is itself, any other value of a reference is true. What was written as text, number, list or
    /// calculation is false, as in Velocity 1.7.
    pub(super) fn is_true(&mut self, expression: &'a Expression) -> Attempt<bool> {
        match expression {
            Expression::Reference(reference) => {
                self.spend(1)?;
                let value = self.reference(reference)?;
                Ok(!matches!(value, Value::Null | Value::Boolean(false)))
            }
            Expression::Boolean(truth) => Ok(*truth),
            other => self.deeper(|renderer| renderer.is_calculated_true(other)),
        }
    }

    fn is_calculated_true(&mut self, expression: &'a Expression) -> Attempt<bool> {
        match expression {
            Expression::Not(inner) => Ok(!self.is_true(inner)?),
            Expression::Binary(Operator::And, sides) => {
                Ok(self.is_true(&sides.0)? && self.is_true(&sides.1)?)
            }
            Expression::Binary(Operator::Or, sides) => Ok(self.is_true(&sides.0)? || self.is_true(&sides.1)?),
            Expression::Binary(operator, sides) if operator.compares() => {
                self.spend(1)?;
                let value = self.deeper(|renderer| renderer.binary(*operator, &sides.0, &sides.1))?;
                Ok(matches!(value, Value::Boolean(true)))
            }
            _ => Ok(false),
        }
    }

    fn map(&mut self, entries: &'a [(Expression, Expression)]) -> Attempt<Value<'a>> {
        let map = self.deeper(|renderer| {
            let mut map = Map::with_capacity_and_hasher(entries.len(), Default::default());
            for (key, value) in entries {
                let key = renderer.value(key)?;
                let key = renderer.kept_text(&key)?;
                map.insert(key, renderer.value(value)?);
            }
            Ok(map)
        })?;
        self.heap.new_map(map).map(Value::Map)
    }

    /// Both ends belong to it; it may go down. No value when an end isn't a whole number.
    fn range(&mut self, ends: &'a (Expression, Expression)) -> Attempt<Value<'a>> {
        let Some(range) = self.range_of(ends)? else { return Ok(Value::Null) };
        let elements = (0..range.count).map(|index| range.at(index)).collect();
        self.heap.new_list(elements)
    }

    /// A range whose elements nobody made yet.
    pub(super) fn range_of(&mut self, ends: &'a (Expression, Expression)) -> Attempt<Option<Range>> {
        let ends = (self.value(&ends.0)?, self.value(&ends.1)?);
        let (Value::Integer(first), Value::Integer(last)) = ends else { return Ok(None) };
        let count = usize::try_from(first.abs_diff(last)).unwrap_or(usize::MAX).saturating_add(1);
        self.heap.reserve(count)?;
        Ok(Some(Range { first, count, goes_down: last < first }))
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &'a Expression,
        right: &'a Expression,
    ) -> Attempt<Value<'a>> {
        let (left_value, right_value) = (self.value(left)?, self.value(right)?);
        let order = |wanted: fn(Ordering) -> bool| {
            Value::Boolean(number::compare(&left_value, &right_value).is_some_and(wanted))
        };
        Ok(match operator {
            Operator::Equal => Value::Boolean(self.are_equal(&left_value, &right_value)?),
            Operator::NotEqual => Value::Boolean(!self.are_equal(&left_value, &right_value)?),
            Operator::Less => order(Ordering::is_lt),
            Operator::LessOrEqual => order(Ordering::is_le),
            Operator::Greater => order(Ordering::is_gt),
            Operator::GreaterOrEqual => order(Ordering::is_ge),
            Operator::Add
                if matches!((&left_value, &right_value), (Value::Text(_), _) | (_, Value::Text(_))) =>
            {
                let mut joined = self.operand_text(left, &left_value)?.into_owned();
                joined.push_str(&self.operand_text(right, &right_value)?);
                self.new_text(joined)?
            }
            _ => number::calculate(operator, &left_value, &right_value)?.unwrap_or(Value::Null),
        })
    }

    /// What has no value is joined as it was written.
    fn operand_text(&mut self, expression: &'a Expression, value: &Value<'a>) -> Attempt<Cow<'a, str>> {
        match (value, expression) {
            (Value::Null, Expression::Reference(reference)) => Ok(Cow::Borrowed(self.literal(reference))),
            _ => self.text(value),
        }
    }

    /// Numbers by what they count, like by like, and everything else by its text.
    pub(super) fn are_equal(&mut self, left: &Value<'a>, right: &Value<'a>) -> Attempt<bool> {
        self.spend(1)?;
        match (left, right) {
            (Value::Null, Value::Null) => return Ok(true),
            (Value::Null, _) | (_, Value::Null) => return Ok(false),
            (Value::Boolean(left), Value::Boolean(right)) => return Ok(left == right),
            (Value::Text(left), Value::Text(right)) => {
                self.spend_bytes(left.len().min(right.len()))?;
                return Ok(left == right);
            }
            (Value::List(left), Value::List(right)) => {
                let (left, right) = (*left, *right);
                return self.deeper(|renderer| renderer.are_equal_lists(left, right));
            }
            (Value::Map(left), Value::Map(right)) => {
                let (left, right) = (*left, *right);
                return self.deeper(|renderer| renderer.are_equal_maps(left, right));
            }
            _ => {}
        }
        let are_numbers = number::is_number(left) && number::is_number(right);
        if are_numbers {
            return Ok(number::compare(left, right) == Some(Ordering::Equal));
        }
        Ok(self.text(left)? == self.text(right)?)
    }

    fn are_equal_lists(&mut self, left: crate::value::ListId, right: crate::value::ListId) -> Attempt<bool> {
        if left == right {
            return Ok(true);
        }
        if self.heap.list(left).len() != self.heap.list(right).len() {
            return Ok(false);
        }
        for index in 0..self.heap.list(left).len() {
            let pair = (self.heap.list(left).get(index).copied(), self.heap.list(right).get(index).copied());
            let (Some(left), Some(right)) = pair else { break };
            if !self.are_equal(&left, &right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn are_equal_maps(&mut self, left: crate::value::MapId, right: crate::value::MapId) -> Attempt<bool> {
        if left == right {
            return Ok(true);
        }
        if self.heap.map(left).len() != self.heap.map(right).len() {
            return Ok(false);
        }
        for index in 0..self.heap.map(left).len() {
            let Some((key, value)) = self.heap.map(left).get_index(index) else { break };
            let (key, value) = (*key, *value);
            let Some(other) = self.heap.map(right).get(key).copied() else { return Ok(false) };
            if !self.are_equal(&value, &other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn new_text(&mut self, text: String) -> Attempt<Value<'a>> {
        if text.len() > super::TEXT_BYTES_MAX {
            return Err(RenderError::TextTooLong(super::TEXT_BYTES_MAX).into());
        }
        self.spend_bytes(text.len())?;
        self.heap.keep(text).map(Value::Text)
    }
}
