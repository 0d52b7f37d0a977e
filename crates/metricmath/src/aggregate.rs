//! Many values made one: all of a series to a number, an array's at each time to a series.

use crate::function::Function;
use crate::{Series, Value};

pub(crate) fn of(function: Function, value: Value) -> Option<Value> {
    match value {
        Value::Scalar(_) => None,
        Value::Series(series) => Some(Value::Scalar(over(function, series.values(), 0))),
        Value::Array(array) => Some(Value::Series(across(function, &array))),
    }
}

/// At each time that one of the series has: what the series have there. An average takes series without a point for 0, the
/// others leave them out.
fn across(function: Function, array: &[Series]) -> Series {
    let period_s = array.iter().map(|series| series.period_s).max().unwrap_or_default();
    let points = aligned(function, array).unwrap_or_else(|| joined(function, array));
    let points = points.into_iter().filter(|point| point.1.is_finite()).collect();
    Series { period_s, points, ..Series::default() }
}

/// Where all series have the same times, which is usual, they need no sorting.
fn aligned(function: Function, array: &[Series]) -> Option<Vec<(i64, f64)>> {
    let first = &array.first()?.points;
    let is_aligned = |series: &Series| {
        series.points.len() == first.len()
            && series.points.iter().zip(first).all(|(point, expected)| point.0 == expected.0)
    };
    if !array.iter().all(is_aligned) {
        return None;
    }
    let at = |(place, point): (usize, &(i64, f64))| {
        let values = array.iter().map(|series| series.points[place].1);
        (point.0, over(function, values, 0))
    };
    Some(first.iter().enumerate().map(at).collect())
}

fn joined(function: Function, array: &[Series]) -> Vec<(i64, f64)> {
    let mut all: Vec<(i64, f64)> = array.iter().flat_map(|series| series.points.iter().copied()).collect();
    // Runs that are in order already are merged, and points of the same time keep the array's order.
    all.sort_by_key(|point| point.0);
    let points = all.chunk_by(|one, other| one.0 == other.0).map(|at| {
        let missing = if function == Function::Avg { array.len() - at.len() } else { 0 };
        (at[0].0, over(function, at.iter().map(|point| point.1), missing))
    });
    points.collect()
}

/// The function of the values and as many zeros. No number where there is no value, except for sums and counts.
pub(crate) fn over(function: Function, values: impl Iterator<Item = f64> + Clone, zeros: usize) -> f64 {
    let count = || values.clone().count() as f64;
    // Nothing adds up to -0.0.
    let sum = || values.clone().sum::<f64>() + 0.0;
    match function {
        Function::Sum => sum(),
        Function::DatapointCount => count(),
        Function::Avg => sum() / (count() + zeros as f64),
        Function::Max => values.reduce(f64::max).unwrap_or(f64::NAN),
        Function::Min => values.reduce(f64::min).unwrap_or(f64::NAN),
        Function::StdDev => {
            let mean = sum() / count();
            (values.clone().map(|value| (value - mean).powi(2)).sum::<f64>() / count()).sqrt()
        }
        _ => f64::NAN,
    }
}
