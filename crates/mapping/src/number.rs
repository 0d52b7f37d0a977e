//! Numbers as Java writes, compares and calculates them.

use std::cmp::Ordering;

use crate::ast::Operator;
use crate::error::{Attempt, RenderError};
use crate::value::Value;

/// `Double.toString`: `1.0`, `0.001`, `1.0E7`, `1.0E-4`, `NaN`, `Infinity`.
pub fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = number.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = number.to_string();
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{number:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

pub fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Integer(_) | Value::Wide(_) | Value::Double(_))
}

fn as_double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Integer(whole) => Some(*whole as f64),
        Value::Wide(whole) => Some(*whole as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

/// `None` when one of the two is no number, or none at all.
pub fn compare(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
        (Value::Wide(left), Value::Wide(right)) => Some(left.cmp(right)),
        _ => as_double(left)?.partial_cmp(&as_double(right)?),
    }
}

/// Whole numbers stay whole, and division by zero has no value, as in Velocity; `None` too when one of the two is no number.
pub fn calculate<'a>(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> Attempt<Option<Value<'a>>> {
    if let (Value::Integer(left), Value::Integer(right)) = (left, right) {
        return whole(operator, *left, *right);
    }
    let (Some(left), Some(right)) = (as_double(left), as_double(right)) else { return Ok(None) };
    let by_zero = right == 0.0 && matches!(operator, Operator::Divide | Operator::Remainder);
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
        _ => return Ok(None),
    };
    Ok((!by_zero).then_some(Value::Double(result)))
}

fn whole<'a>(operator: Operator, left: i64, right: i64) -> Attempt<Option<Value<'a>>> {
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide | Operator::Remainder if right == 0 => return Ok(None),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
        _ => return Ok(None),
    };
    result.map(|number| Some(Value::Integer(number))).ok_or_else(|| RenderError::NumberTooBig.into())
}
