//! FILL: points for the periods that have none.

use crate::evaluate::Evaluation;
use crate::function::Function;
use crate::series::Joined;
use crate::{Error, Series, Value};

/// REPEAT gives the last value before, LINEAR what lies on the line between the values beside a gap. Where there is no such
/// value, before the first point or after the last, nothing is filled in (REPEAT goes on to the end).
pub(crate) fn by_word(evaluation: &Evaluation<'_>, of: Value, word: &str) -> Result<Value, Error> {
    let fill = |series: Series| {
        let times = evaluation.times(series.period_s)?.map(|at_ms| (at_ms, 0.0)).collect::<Vec<_>>();
        let points = match word {
            "REPEAT" => repeated(&series.points, &times),
            _ => linear(&series.points, &times),
        };
        Ok(series.with(points))
    };
    match of {
        Value::Series(series) => Ok(Value::Series(fill(series)?)),
        Value::Array(array) => Ok(Value::Array(array.into_iter().map(fill).collect::<Result<_, Error>>()?)),
        Value::Scalar(_) => Err(Function::Fill.refuse(["Scalar"].into_iter())),
    }
}

/// Fills with a number, or with the points of a series. `None` for what can't be filled, or with that.
pub(crate) fn by_value(
    evaluation: &Evaluation<'_>,
    of: Value,
    filler: Value,
) -> Result<Option<Value>, Error> {
    let fill = |series: Series| {
        let filler = match &filler {
            Value::Series(filler) => filler.points.clone(),
            Value::Scalar(number) if number.is_finite() => {
                evaluation.times(series.period_s)?.map(|at_ms| (at_ms, *number)).collect()
            }
            _ => Vec::new(),
        };
        let joined = Joined::new(&series.points, &filler);
        let points = joined.filter_map(|(at_ms, own, other)| Some((at_ms, own.or(other)?))).collect();
        Ok(series.with(points))
    };
    Ok(match of {
        _ if matches!(filler, Value::Array(_)) => None,
        Value::Scalar(_) => None,
        Value::Series(series) => Some(Value::Series(fill(series)?)),
        Value::Array(array) => Some(Value::Array(array.into_iter().map(fill).collect::<Result<_, Error>>()?)),
    })
}

fn repeated(points: &[(i64, f64)], times: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let mut last = None;
    let joined = Joined::new(points, times).filter_map(|(at_ms, own, _)| {
        last = own.or(last);
        Some((at_ms, last?))
    });
    joined.collect()
}

fn linear(points: &[(i64, f64)], times: &[(i64, f64)]) -> Vec<(i64, f64)> {
    let mut next = 0usize;
    let joined = Joined::new(points, times).filter_map(|(at_ms, own, _)| {
        if let Some(own) = own {
            next += 1;
            return Some((at_ms, own));
        }
        let (before, after) = (points.get(next.checked_sub(1)?)?, points.get(next)?);
        let share = (at_ms - before.0) as f64 / (after.0 - before.0) as f64;
        Some((at_ms, before.1 + (after.1 - before.1) * share))
    });
    joined.filter(|point| point.1.is_finite()).collect()
}
