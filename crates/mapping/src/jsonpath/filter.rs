//! `[?(…)]`: which elements stay.

use std::cmp::Ordering;

use super::JsonPath;
use super::evaluate::read_from;
use crate::error::{Attempt, RenderError};
use crate::number;
use crate::value::{Heap, Value};

#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    Any(Vec<Filter>),
    Every(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Same,
    NotSame,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    Contains,
    Size,
    Empty,
    AnyOf,
    SubsetOf,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    Null,
    Boolean(bool),
    Number(f64),
    Text(Box<str>),
    List(Vec<Operand>),
    /// `@…`: from the element.
    Here(JsonPath),
    /// `$…`: from the document.
    Root(JsonPath),
}

/// What filters look at.
pub struct Scene<'s, 'a> {
    pub root: &'s Value<'a>,
    pub here: &'s Value<'a>,
}

impl Filter {
    pub fn keeps<'a>(&self, scene: &Scene<'_, 'a>, heap: &mut Heap<'a>) -> Attempt<bool> {
        match self {
            Filter::Any(filters) => {
                for filter in filters {
                    if filter.keeps(scene, heap)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Filter::Every(filters) => {
                for filter in filters {
                    if !filter.keeps(scene, heap)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Not(filter) => Ok(!filter.keeps(scene, heap)?),
            Filter::Exists(operand) => Ok(operand.value(scene, heap)?.is_some()),
            Filter::Compare(left, comparison, right) => {
                let left = left.value(scene, heap)?;
                let right = right.value(scene, heap)?;
                compare(left.as_ref(), *comparison, right.as_ref(), heap)
            }
        }
    }
}

impl Operand {
    /// `None` when a path finds nothing.
    fn value<'o, 'a: 'o>(&'o self, scene: &Scene<'_, 'a>, heap: &mut Heap<'a>) -> Attempt<Option<Value<'o>>> {
        match self {
            Operand::Text(text) => Ok(Some(Value::Text(text))),
            other => Ok(other.kept(scene, heap)?),
        }
    }

    /// The same for as long as the heap lives.
    fn kept<'a>(&self, scene: &Scene<'_, 'a>, heap: &mut Heap<'a>) -> Attempt<Option<Value<'a>>> {
        Ok(Some(match self {
            Operand::Null => Value::Null,
            Operand::Boolean(truth) => Value::Boolean(*truth),
            Operand::Number(number) => Value::Double(*number),
            Operand::Text(text) => Value::Text(heap.keep(&**text)?),
            Operand::List(operands) => {
                let mut elements = Vec::with_capacity(operands.len());
                for operand in operands {
                    elements.extend(operand.kept(scene, heap)?);
                }
                heap.new_list(elements)?
            }
            Operand::Here(path) => return read_from(path, scene.root, scene.here, heap),
            Operand::Root(path) => return read_from(path, scene.root, scene.root, heap),
        }))
    }
}

/// A missing value equals nothing, not even null.
fn compare(
    left: Option<&Value<'_>>,
    comparison: Comparison,
    right: Option<&Value<'_>>,
    heap: &mut Heap<'_>,
) -> Attempt<bool> {
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(matches!(comparison, Comparison::NotEqual | Comparison::NotSame | Comparison::NotIn));
    };
    heap.reserve(1)?;
    Ok(match comparison {
        Comparison::Equal => equal(left, right, heap, 0)?,
        Comparison::NotEqual => !equal(left, right, heap, 0)?,
        Comparison::Same => are_alike(left, right) && equal(left, right, heap, 0)?,
        Comparison::NotSame => !(are_alike(left, right) && equal(left, right, heap, 0)?),
        Comparison::Less => order(left, right) == Some(Ordering::Less),
        Comparison::LessOrEqual => order(left, right).is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right) == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order(left, right).is_some_and(Ordering::is_ge),
        Comparison::Matches => matches(left, right, heap)?,
        Comparison::In => holds(right, left, heap)?,
        Comparison::NotIn => !holds(right, left, heap)?,
        Comparison::Contains => match (left, right) {
            (Value::Text(left), Value::Text(right)) => left.contains(right),
            _ => holds(left, right, heap)?,
        },
        Comparison::Size => size(left, heap).is_some_and(|size| {
            number::compare(&Value::Integer(size as i64), right) == Some(Ordering::Equal)
        }),
        Comparison::Empty => {
            size(left, heap).is_some_and(|size| matches!(right, Value::Boolean(is) if *is == (size == 0)))
        }
        Comparison::AnyOf => {
            let elements = elements(left, heap)?;
            let mut found = false;
            for element in &elements {
                found = found || holds(right, element, heap)?;
            }
            found
        }
        Comparison::SubsetOf => {
            let elements = elements(left, heap)?;
            let mut all = true;
            for element in &elements {
                all = all && holds(right, element, heap)?;
            }
            all
        }
    })
}

fn are_alike(left: &Value<'_>, right: &Value<'_>) -> bool {
    number::is_number(left) && number::is_number(right)
        || std::mem::discriminant(left) == std::mem::discriminant(right)
}

/// Numbers and strings that say the same are equal.
fn equal(left: &Value<'_>, right: &Value<'_>, heap: &mut Heap<'_>, depth: usize) -> Attempt<bool> {
    heap.reserve(1)?;
    if depth > crate::json::DEPTH_MAX {
        return Err(RenderError::TooDeep(crate::json::DEPTH_MAX).into());
    }
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Text(text), number) | (number, Value::Text(text)) if number::is_number(number) => {
            let read = text.trim().parse().map(Value::Double);
            read.is_ok_and(|read| number::compare(&read, number) == Some(Ordering::Equal))
        }
        (Value::List(left), Value::List(right)) => {
            let (left, right) = (heap.list(*left).clone(), heap.list(*right).clone());
            let mut same = left.len() == right.len();
            heap.reserve(left.len() + right.len())?;
            for (left, right) in left.iter().zip(&right) {
                same = same && equal(left, right, heap, depth + 1)?;
            }
            same
        }
        (Value::Map(left), Value::Map(right)) => {
            let (left, right) = (heap.map(*left).clone(), heap.map(*right).clone());
            let mut same = left.len() == right.len();
            heap.reserve(left.len() + right.len())?;
            for (name, member) in &left {
                let Some(other) = right.get(*name) else { return Ok(false) };
                same = same && equal(member, other, heap, depth + 1)?;
            }
            same
        }
        _ => number::compare(left, right) == Some(Ordering::Equal),
    })
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => number::compare(left, right),
    }
}

/// The whole text has to match, as with Java's `matches`.
fn matches(left: &Value<'_>, right: &Value<'_>, heap: &mut Heap<'_>) -> Attempt<bool> {
    let (Value::Text(text), Value::Text(pattern)) = (left, right) else { return Ok(false) };
    let mut spend = |steps: u64| heap.reserve(usize::try_from(steps).unwrap_or(usize::MAX));
    crate::pattern::matches_whole(pattern, text, &mut spend)
}

fn size(value: &Value<'_>, heap: &Heap<'_>) -> Option<usize> {
    match value {
        Value::Text(text) => Some(text.encode_utf16().count()),
        Value::List(id) => Some(heap.list(*id).len()),
        Value::Map(id) => Some(heap.map(*id).len()),
        _ => None,
    }
}

fn elements<'a>(value: &Value<'_>, heap: &mut Heap<'a>) -> Attempt<Vec<Value<'a>>> {
    let Value::List(id) = value else { return Ok(Vec::new()) };
    heap.reserve(heap.list(*id).len())?;
    Ok(heap.list(*id).clone())
}

fn holds(list: &Value<'_>, wanted: &Value<'_>, heap: &mut Heap<'_>) -> Attempt<bool> {
    let Value::List(id) = list else { return Ok(false) };
    let count = heap.list(*id).len();
    for index in 0..count {
        let Some(element) = heap.list(*id).get(index).copied() else { break };
        if equal(&element, wanted, heap, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}
