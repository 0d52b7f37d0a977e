//! Path to values: each step turns the values so far into the next ones, in their order.

use super::filter::Scene;
use super::{Function, JsonPath, Step};
use crate::error::Attempt;
use crate::value::{Heap, ListId, Map, Value};

/// What the path finds from the document's root; `None` when it names one place that doesn't exist. Every value looked at
/// counts as one that was made, which bounds the work.
pub fn read<'a>(path: &JsonPath, root: &Value<'a>, heap: &mut Heap<'a>) -> Attempt<Option<Value<'a>>> {
    read_from(path, root, root, heap)
}

pub fn read_from<'a>(
    path: &JsonPath,
    root: &Value<'a>,
    start: &Value<'a>,
    heap: &mut Heap<'a>,
) -> Attempt<Option<Value<'a>>> {
    // One place after the other, as most paths name them; the rest by lists.
    let mut here = *start;
    let mut steps = path.steps.as_slice();
    while let [step @ (Step::Member(_) | Step::Element(_)), rest @ ..] = steps {
        heap.reserve(1)?;
        let next = match (step, &here) {
            (Step::Member(name), Value::Map(id)) => heap.map(*id).get(&**name).copied(),
            (Step::Element(index), Value::List(id)) => element(*id, *index, heap),
            _ => None,
        };
        let Some(next) = next else { return none(path, heap) };
        here = next;
        steps = rest;
    }
    if steps.is_empty() {
        return finish(path, Some(here), heap);
    }
    let mut found = vec![here];
    for step in steps {
        let mut next = Vec::new();
        for value in &found {
            take(step, root, value, heap, &mut next)?;
        }
        heap.reserve(found.len())?;
        found = next;
    }
    let value = if path.is_definite() { found.pop() } else { Some(heap.new_json_list(found)?) };
    finish(path, value, heap)
}

/// What a path finds where there is nothing.
fn none<'a>(path: &JsonPath, heap: &mut Heap<'a>) -> Attempt<Option<Value<'a>>> {
    let value = if path.is_definite() { None } else { Some(heap.new_json_list(Vec::new())?) };
    finish(path, value, heap)
}

fn finish<'a>(path: &JsonPath, value: Option<Value<'a>>, heap: &mut Heap<'a>) -> Attempt<Option<Value<'a>>> {
    match (value, path.function) {
        (Some(value), Some(function)) => apply(function, &value, heap).map(Some),
        (value, _) => Ok(value),
    }
}

fn take<'a>(
    step: &Step,
    root: &Value<'a>,
    value: &Value<'a>,
    heap: &mut Heap<'a>,
    next: &mut Vec<Value<'a>>,
) -> Attempt<()> {
    match (step, value) {
        (Step::Member(name), Value::Map(id)) => next.extend(heap.map(*id).get(&**name).copied()),
        (Step::Members(names), Value::Map(id)) => {
            let members = heap.map(*id);
            let kept: Map<'a> = names
                .iter()
                .filter_map(|name| members.get_key_value(&**name))
                .map(|(name, member)| (*name, *member))
                .collect();
            next.push(Value::Map(heap.new_map(kept)?));
        }
        (Step::Element(index), Value::List(id)) => next.extend(element(*id, *index, heap)),
        (Step::Elements(indexes), Value::List(id)) => {
            heap.reserve(indexes.len())?;
            next.extend(indexes.iter().filter_map(|index| element(*id, *index, heap)));
        }
        (Step::Slice(from, to), Value::List(id)) => {
            let elements = heap.list(*id);
            let from = from.map_or(0, |from| bound(from, elements.len()));
            let to = to.map_or(elements.len(), |to| bound(to, elements.len()));
            let kept = elements.get(from..to).unwrap_or_default().to_vec();
            heap.reserve(kept.len())?;
            next.extend(kept);
        }
        (Step::All, _) => {
            let children = children(value, heap);
            heap.reserve(children.len())?;
            next.extend(children);
        }
        (Step::Deep, _) => {
            let mut waiting = vec![*value];
            while let Some(value) = waiting.pop() {
                heap.reserve(1)?;
                let children = children(&value, heap);
                heap.reserve(children.len())?;
                waiting.extend(children.into_iter().rev());
                next.push(value);
            }
        }
        (Step::Filter(filter), Value::List(_) | Value::Map(_)) => {
            // Of an object the filter asks the object itself, as Jayway does.
            let candidates =
                if matches!(value, Value::Map(_)) { vec![*value] } else { children(value, heap) };
            heap.reserve(candidates.len())?;
            for candidate in candidates {
                if filter.keeps(&Scene { root, here: &candidate }, heap)? {
                    next.push(candidate);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn children<'a>(value: &Value<'a>, heap: &Heap<'a>) -> Vec<Value<'a>> {
    match value {
        Value::List(id) => heap.list(*id).clone(),
        Value::Map(id) => heap.map(*id).values().copied().collect(),
        _ => Vec::new(),
    }
}

fn element<'a>(id: ListId, index: i64, heap: &Heap<'a>) -> Option<Value<'a>> {
    let elements = heap.list(id);
    let index = if index < 0 { index.checked_add(i64::try_from(elements.len()).ok()?)? } else { index };
    elements.get(usize::try_from(index).ok()?).copied()
}

/// A slice's end: from the list's end if negative, never beyond either.
fn bound(index: i64, length: usize) -> usize {
    let from_end = if index < 0 { index.saturating_add(length as i64) } else { index };
    usize::try_from(from_end).unwrap_or(0).min(length)
}

fn apply<'a>(function: Function, value: &Value<'a>, heap: &mut Heap<'a>) -> Attempt<Value<'a>> {
    if function == Function::Keys {
        let Value::Map(id) = value else { return Ok(Value::Null) };
        let keys = heap.map(*id).keys().copied().map(Value::Text).collect();
        return heap.new_json_list(keys);
    }
    if function == Function::Length {
        return Ok(match value {
            Value::List(id) => Value::Integer(heap.list(*id).len() as i64),
            Value::Map(id) => Value::Integer(heap.map(*id).len() as i64),
            Value::Text(text) => Value::Integer(text.encode_utf16().count() as i64),
            _ => Value::Null,
        });
    }
    let Value::List(id) = value else { return Ok(Value::Null) };
    let elements = heap.list(*id);
    match function {
        Function::First => return Ok(elements.first().copied().unwrap_or(Value::Null)),
        Function::Last => return Ok(elements.last().copied().unwrap_or(Value::Null)),
        _ => {}
    }
    let numbers: Vec<f64> = elements
        .iter()
        .filter_map(|element| match element {
            Value::Integer(number) => Some(*number as f64),
            Value::Wide(number) => Some(*number as f64),
            Value::Double(number) => Some(*number),
            _ => None,
        })
        .collect();
    heap.reserve(numbers.len())?;
    Ok(statistic(function, &numbers).map_or(Value::Null, Value::Double))
}

fn statistic(function: Function, numbers: &[f64]) -> Option<f64> {
    if numbers.is_empty() {
        return None;
    }
    let count = numbers.len() as f64;
    let sum: f64 = numbers.iter().sum();
    Some(match function {
        Function::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Function::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Function::Sum => sum,
        Function::Average => sum / count,
        Function::Deviation => {
            let squares: f64 = numbers.iter().map(|number| number * number).sum();
            (squares / count - (sum / count).powi(2)).max(0.0).sqrt()
        }
        _ => return None,
    })
}
