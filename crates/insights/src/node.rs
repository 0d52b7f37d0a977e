//! Expressions as they are run: names resolved to slots, patterns compiled.

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::event::Event;
use crate::field::Source;
use crate::function::{self, Function};
use crate::json::{self, Want};
use crate::matcher::Matcher;
use crate::syntax::Binary;
use crate::time::Period;
use crate::value::{Value, compare};

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Slot(usize),
    /// A member of the parsed JSON in a slot.
    Member(usize, String),
    Literal(Literal),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Like(Box<Node>, Matcher),
    /// `like` what another expression says.
    LikeValue(Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Node>),
    Cut {
        value: Box<Node>,
        period: Period,
        is_up: bool,
    },
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone)]
pub(crate) enum Literal {
    Text(String),
    Number(f64),
    Bool(bool),
}

/// What slots there are and how the ones that nobody computes are filled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    pub sources: Vec<Source>,
    /// Fields in JSON that are looked for, by their names in the message.
    pub wants: Vec<(String, usize)>,
}

/// One event, or one row of an earlier command, with what is known of its fields.
pub(crate) struct Frame<'e> {
    pub slots: &'e Slots,
    pub event: Option<&'e Event<'e>>,
    pub cells: SmallVec<[Option<Value<'e>>; 6]>,
    pub now_s: i64,
    has_json: bool,
}

impl<'e> Frame<'e> {
    pub fn of_event(slots: &'e Slots, event: &'e Event<'e>, now_s: i64) -> Frame<'e> {
        let cells = SmallVec::from_elem(None, slots.sources.len());
        Frame { slots, event: Some(event), cells, now_s, has_json: false }
    }

    pub fn of_row(slots: &'e Slots, cells: Vec<Option<Value<'static>>>, now_s: i64) -> Frame<'e> {
        Frame { slots, event: None, cells: cells.into_iter().collect(), now_s, has_json: true }
    }

    pub fn get(&mut self, slot: usize) -> Option<Value<'e>> {
        let Some(event) = self.event else { return self.cells[slot].clone() };
        match self.slots.sources[slot] {
            Source::Computed => self.cells[slot].clone(),
            Source::Json => {
                if !self.has_json {
                    self.read_json(event);
                }
                self.cells[slot].clone()
            }
            source => source.read(event),
        }
    }

    fn read_json(&mut self, event: &Event<'e>) {
        self.has_json = true;
        let wants: SmallVec<[Want<'e>; 8]> =
            self.slots.wants.iter().map(|(name, slot)| (name.as_str(), *slot)).collect();
        let cells = &mut self.cells;
        if !json::find(event, &wants, &mut |slot, value| cells[slot] = Some(value)) {
            wants.iter().for_each(|(_, slot)| self.cells[*slot] = None);
        }
    }
}

impl Node {
    pub fn evaluate<'e>(&'e self, frame: &mut Frame<'e>) -> Option<Value<'e>> {
        match self {
            Node::Slot(slot) => frame.get(*slot),
            Node::Member(slot, path) => match frame.get(*slot)? {
                Value::Json(json) => function::member(&json, path),
                _ => None,
            },
            Node::Literal(Literal::Text(text)) => Some(Value::text_of(text)),
            Node::Literal(Literal::Number(number)) => Some(Value::Float(*number)),
            Node::Literal(Literal::Bool(is)) => Some(Value::Bool(*is)),
            Node::Negate(inner) => Value::of(-inner.evaluate(frame)?.number()?),
            Node::Binary(operator, left, right) if operator.is_arithmetic() => {
                let (left, right) = (left.evaluate(frame)?.number()?, right.evaluate(frame)?.number()?);
                function::arithmetic(*operator, left, right)
            }
            Node::Cut { value, period, is_up } => function::cut(&value.evaluate(frame)?, *period, *is_up),
            Node::Call(function, arguments) => {
                let now_s = frame.now_s;
                let argument = |place: usize| arguments.get(place).map(|node| node.evaluate(frame));
                function::call(*function, argument, now_s)
            }
            _ => Some(Value::Bool(self.is_true(frame))),
        }
    }

    /// As a condition. What is missing is equal to nothing and different from everything.
    pub fn is_true<'e>(&'e self, frame: &mut Frame<'e>) -> bool {
        match self {
            Node::Not(inner) => !inner.is_true(frame),
            Node::Binary(Binary::And, left, right) => left.is_true(frame) && right.is_true(frame),
            Node::Binary(Binary::Or, left, right) => left.is_true(frame) || right.is_true(frame),
            Node::Binary(operator, left, right) if !operator.is_arithmetic() => {
                let (left, right) = (left.evaluate(frame), right.evaluate(frame));
                let order = match (&left, &right) {
                    (Some(left), Some(right)) => compare(left, right),
                    _ => None,
                };
                operator.holds(order)
            }
            Node::Like(value, matcher) => {
                value.evaluate(frame).is_some_and(|value| matcher.is_in(&value.text()))
            }
            Node::LikeValue(value, part) => match (value.evaluate(frame), part.evaluate(frame)) {
                (Some(value), Some(part)) => value.text().contains(&*part.text()),
                _ => false,
            },
            Node::In(value, list) => {
                let Some(value) = value.evaluate(frame) else { return false };
                let mut list = list.iter().filter_map(|item| item.evaluate(frame));
                list.any(|item| compare(&value, &item) == Some(Ordering::Equal))
            }
            other => other.evaluate(frame).is_some_and(|value| value.is_true()),
        }
    }

    /// The slots that it reads.
    pub fn visit(&self, slot_read: &mut dyn FnMut(usize)) {
        match self {
            Node::Slot(slot) | Node::Member(slot, _) => slot_read(*slot),
            Node::Literal(_) => {}
            Node::Not(inner)
            | Node::Negate(inner)
            | Node::Like(inner, _)
            | Node::Cut { value: inner, .. } => {
                inner.visit(slot_read);
            }
            Node::Binary(_, left, right) | Node::LikeValue(left, right) => {
                left.visit(slot_read);
                right.visit(slot_read);
            }
            Node::In(value, list) => {
                value.visit(slot_read);
                list.iter().for_each(|item| item.visit(slot_read));
            }
            Node::Call(_, arguments) => arguments.iter().for_each(|argument| argument.visit(slot_read)),
        }
    }
}

impl Binary {
    fn is_arithmetic(self) -> bool {
        use Binary::*;
        matches!(self, Add | Subtract | Multiply | Divide | Remainder | Power)
    }

    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Binary::Equal => order == Some(Ordering::Equal),
            Binary::Unequal => order != Some(Ordering::Equal),
            Binary::Less => order == Some(Ordering::Less),
            Binary::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Binary::Greater => order == Some(Ordering::Greater),
            Binary::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            _ => false,
        }
    }
}
