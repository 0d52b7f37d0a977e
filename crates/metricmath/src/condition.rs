//! IF.

use std::collections::BTreeMap;

use crate::{Series, Value};

/// `IF(condition, then, otherwise)`; `None` for kinds that it doesn't take. Source: "Using IF expressions", whose tables are tests.
pub(crate) fn choose(condition: Value, then: Value, otherwise: Option<Value>) -> Option<Value> {
    match condition {
        Value::Scalar(condition) => Some(match otherwise {
            _ if condition != 0.0 => then,
            Some(otherwise) => otherwise,
            None => empty_like(then),
        }),
        Value::Series(condition) => point_by_point(condition, &then, otherwise.as_ref()),
        Value::Array(_) => None,
    }
}

fn empty_like(then: Value) -> Value {
    match then {
        Value::Array(array) => {
            Value::Array(array.into_iter().map(|series| series.with(Vec::new())).collect())
        }
        Value::Series(series) => Value::Series(series.with(Vec::new())),
        Value::Scalar(_) => Value::Series(Series::default()),
    }
}

/// Where the condition has a point: the value of `then`, 0 where that has none, or the value of `otherwise`, nothing where that
/// has none. Where it has none: nothing, unless a number stands against a series that has a point there.
fn point_by_point(condition: Series, then: &Value, otherwise: Option<&Value>) -> Option<Value> {
    let then_at = lookup(then)?;
    let otherwise_at = otherwise.map(lookup);
    let otherwise_at = match otherwise_at {
        Some(found) => Some(found?),
        None => None,
    };
    let mut points: BTreeMap<i64, f64> = BTreeMap::new();
    if let (Value::Series(then), Some(Value::Scalar(number))) = (then, otherwise) {
        points.extend(then.points.iter().map(|(at_ms, _)| (*at_ms, *number)));
    }
    let mut period_s = condition.period_s;
    for value in [Some(then), otherwise].into_iter().flatten() {
        if let Value::Series(series) = value {
            period_s = period_s.max(series.period_s);
        }
    }
    for (at_ms, value) in &condition.points {
        let chosen = match &otherwise_at {
            _ if *value != 0.0 => Some(then_at(*at_ms).unwrap_or(0.0)),
            Some(otherwise_at) => otherwise_at(*at_ms),
            None => None,
        };
        match chosen {
            Some(chosen) => points.insert(*at_ms, chosen),
            None => points.remove(at_ms),
        };
    }
    let points = points.into_iter().filter(|point| point.1.is_finite()).collect();
    Some(Value::Series(Series { period_s, points, ..Series::default() }))
}

/// The value at a time. An array has none.
fn lookup(value: &Value) -> Option<Box<dyn Fn(i64) -> Option<f64> + '_>> {
    match value {
        Value::Scalar(number) => Some(Box::new(move |_| Some(*number))),
        Value::Series(series) => Some(Box::new(|at_ms| {
            let found = series.points.binary_search_by_key(&at_ms, |point| point.0).ok()?;
            Some(series.points[found].1)
        })),
        Value::Array(_) => None,
    }
}
