//! What a plain YAML scalar means: YAML 1.2's core schema.

use serde_json::{Number, Value};

/// `null`, a truth value, a number, else a text. What has leading zeros is a text: account ids and dates are.
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::from(text), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return i64::from_str_radix(hexadecimal, 16).ok().map(Number::from);
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || (digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."))
        || !digits.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c))
    {
        return None;
    }
    let signless = text.strip_prefix('+').unwrap_or(text);
    match signless.parse::<i64>() {
        Ok(whole) => Some(Number::from(whole)),
        Err(_) => Number::from_f64(signless.parse().ok()?),
    }
}
