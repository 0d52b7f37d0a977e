//! Series that have a point in every period: the calendar's, and constants.

use time::OffsetDateTime;

use crate::evaluate::Evaluation;
use crate::function::Function;
use crate::{Error, Series, Value};

/// For each period of the series, the part of its start's date or time, in UTC.
pub(crate) fn of(
    evaluation: &Evaluation<'_>,
    function: Function,
    value: Value,
) -> Result<Option<Value>, Error> {
    let Value::Series(series) = value else { return Ok(None) };
    let times = evaluation.times(series.period_s)?;
    let points = times.filter_map(|at_ms| Some((at_ms, part(function, at_ms)?))).collect();
    Ok(Some(Value::Series(series.with(points))))
}

fn part(function: Function, at_ms: i64) -> Option<f64> {
    let seconds = at_ms.div_euclid(1000);
    // None beyond the calendar's years.
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    Some(match function {
        Function::Minute => f64::from(time.minute()),
        Function::Hour => f64::from(time.hour()),
        Function::Day => f64::from(time.weekday().number_from_monday()),
        Function::Date => f64::from(time.day()),
        Function::Month => f64::from(u8::from(time.month())),
        Function::Year => f64::from(time.year()),
        _ => seconds as f64,
    })
}

/// The number in every period of the request.
pub(crate) fn constant(evaluation: &Evaluation<'_>, value: Value) -> Result<Option<Value>, Error> {
    let Value::Scalar(number) = value else { return Ok(None) };
    let period_s = evaluation.environment.period_s();
    let points = evaluation.times(period_s)?.filter(|_| number.is_finite()).map(|at_ms| (at_ms, number));
    Ok(Some(Value::Series(Series { period_s, points: points.collect(), ..Series::default() })))
}
