//! Functions of arrays as such.

use crate::function::Function;
use crate::{Error, Series, Value, aggregate};

pub(crate) fn of(function: Function, value: Value) -> Option<Value> {
    let Value::Array(mut array) = value else { return None };
    Some(match function {
        Function::First if !array.is_empty() => Value::Series(array.swap_remove(0)),
        Function::First | Function::Last => Value::Series(array.pop().unwrap_or_default()),
        Function::MetricCount => Value::Scalar(array.len() as f64),
        Function::RemoveEmpty => {
            array.retain(|series| !series.points.is_empty());
            Value::Array(array)
        }
        _ => return None,
    })
}

/// The series from `start`, and before `end` if there is one; places are counted from 0.
pub(crate) fn slice(of: Value, start: Option<Value>, end: Option<Value>) -> Option<Value> {
    let Value::Array(mut array) = of else { return None };
    // A negative place is none, and one behind the end is the end.
    let place = |value: Value| match value {
        Value::Scalar(place) if place >= 0.0 => Some((place as usize).min(array.len())),
        _ => None,
    };
    let start = place(start?)?;
    let end = match end {
        Some(end) => place(end)?,
        None => array.len(),
    };
    array.truncate(end);
    Some(Value::Array(array.split_off(start.min(array.len()))))
}

/// Sorts by a function of each series; those without points come last either way.
pub(crate) fn sort(of: Value, by: &str, is_falling: bool, limit: Option<Value>) -> Result<Value, Error> {
    let kind = of.kind();
    let refused = || Function::Sort.refuse([kind].into_iter());
    let Value::Array(array) = of else { return Err(refused()) };
    let limit = match limit {
        None => array.len(),
        Some(Value::Scalar(limit)) if limit >= 0.0 => limit as usize,
        Some(_) => return Err(refused()),
    };
    let by = Function::parse(by)?;
    let key = |series: &Series| match aggregate::over(by, series.values(), 0) {
        _ if series.points.is_empty() => f64::INFINITY,
        value if is_falling => -value,
        value => value,
    };
    let mut keyed: Vec<(f64, Series)> = array.into_iter().map(|series| (key(&series), series)).collect();
    keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
    keyed.truncate(limit);
    Ok(Value::Array(keyed.into_iter().map(|(_, series)| series).collect()))
}
