//! What a field holds: text until a number is needed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::time;

/// A value. What is missing is `None` around it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    /// A number that was computed.
    Float(f64),
    /// A number that was found in a message.
    Found(f64, Print),
    /// Milliseconds since 1970.
    Time(i64),
    Bool(bool),
    Json(Arc<serde_json::Value>),
}

/// How a number that was found is printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Print {
    /// With all its digits, not shortened like what is computed.
    AsItIs,
    /// As [`java`] does.
    Java,
}

/// Longest text that is tried as a number, bytes.
const NUMBER_BYTES_MAX: usize = 40;

impl<'a> Value<'a> {
    pub fn text_of(text: &'a str) -> Value<'a> {
        Value::Text(Cow::Borrowed(text))
    }

    /// A number that was computed.
    pub fn of(number: f64) -> Option<Value<'a>> {
        number.is_finite().then_some(Value::Float(number))
    }

    /// As a number, if it is or looks like one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Text(text) => number(text),
            Value::Int(int) | Value::Time(int) => Some(*int as f64),
            Value::Float(float) | Value::Found(float, _) => Some(*float),
            Value::Bool(is) => Some(f64::from(u8::from(*is))),
            Value::Json(json) => json.as_f64(),
        }
    }

    /// As it is printed.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Int(int) => Cow::Owned(int.to_string()),
            Value::Float(float) => Cow::Owned(print(*float)),
            Value::Found(float, Print::AsItIs) => Cow::Owned(float.to_string()),
            Value::Found(float, Print::Java) => Cow::Owned(java(*float)),
            Value::Time(at_ms) => Cow::Owned(time::format(*at_ms)),
            Value::Bool(is) => Cow::Borrowed(if *is { "1" } else { "0" }),
            Value::Json(json) => match &**json {
                serde_json::Value::String(text) => Cow::Borrowed(text),
                json => Cow::Owned(json.to_string()),
            },
        }
    }

    /// As it is printed, for as long as what it was read from lives.
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Value::Text(text) => text,
            other => Cow::Owned(other.text().into_owned()),
        }
    }

    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Int(int) => Value::Int(int),
            Value::Float(float) => Value::Float(float),
            Value::Found(float, print) => Value::Found(float, print),
            Value::Time(at_ms) => Value::Time(at_ms),
            Value::Bool(is) => Value::Bool(is),
            Value::Json(json) => Value::Json(json),
        }
    }

    /// Does a filter that is nothing but this value let an event pass?
    pub fn is_true(&self) -> bool {
        match self {
            Value::Bool(is) => *is,
            Value::Text(text) if text.eq_ignore_ascii_case("true") => true,
            other => other.number().is_some_and(|number| number != 0.0),
        }
    }

    /// Bytes that it takes beside itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Json(json) => json.to_string().len() * 2,
            _ => 0,
        }
    }
}

/// The order that comparisons use: of numbers if both are, else of times, else of texts. `None` if a number is
/// compared with what is none.
pub(crate) fn compare(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        return match (number(left), number(right)) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => Some(left.cmp(right)),
        };
    }
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        return left.partial_cmp(&right);
    }
    match (left, right) {
        (Value::Time(at_ms), Value::Text(text)) => Some(at_ms.cmp(&time::parse(text)?)),
        (Value::Text(text), Value::Time(at_ms)) => Some(time::parse(text)?.cmp(at_ms)),
        (Value::Bool(is), Value::Text(text)) | (Value::Text(text), Value::Bool(is)) => {
            let other = text.parse::<bool>().ok()?;
            (*is == other).then_some(Ordering::Equal)
        }
        (Value::Json(_), _) | (_, Value::Json(_)) => Some(left.text().cmp(&right.text())),
        _ => None,
    }
}

/// The order of `sort`: what is missing first, then what is no number in natural order, then numbers. Source: AWS, sort.
pub(crate) fn sort_order(left: Option<&Value<'_>>, right: Option<&Value<'_>>) -> Ordering {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.is_some().cmp(&right.is_some()),
    };
    match (left.number(), right.number()) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (None, None) => natural(&left.text(), &right.text()),
    }
}

/// Texts piece by piece: digits by their count and then their value, the rest by its characters. Source: AWS, sort.
fn natural(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let (a, b) = (piece(left), piece(right));
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let digits = |piece: &str| piece.as_bytes()[0].is_ascii_digit();
        let order =
            if digits(a) && digits(b) { a.len().cmp(&b.len()).then_with(|| a.cmp(b)) } else { a.cmp(b) };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (&left[a.len()..], &right[b.len()..]);
    }
}

fn piece(text: &str) -> &str {
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(text.len());
    &text[..end]
}

/// Reads a number: digits with a sign, a point and an exponent; no `inf`, no `nan`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.len() > NUMBER_BYTES_MAX {
        return None;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !starts {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Writes a computed number with at most four digits after the point. Source: AWS's sample results (`122.0703`).
pub(crate) fn print(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return (number as i64).to_string();
    }
    if number.abs() >= 1e15 {
        return java(number);
    }
    let text = format!("{number:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Writes a number as Java's `Double.toString` does: `2.0`, `1.28E8`. The fields of Lambda's reports are printed so.
pub(crate) fn java(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 || (1e-3..1e7).contains(&magnitude) {
        let text = number.to_string();
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_aws_does() {
        for (number, text) in
            [(12.0, "12"), (122.070_312_5, "122.0703"), (0.5, "0.5"), (-0.000_01, "0"), (1e15, "1.0E15")]
        {
            assert_eq!(print(number), text);
        }
        for (number, text) in
            [(1.28e8, "1.28E8"), (2.0, "2.0"), (103.55, "103.55"), (3e7, "3.0E7"), (0.0, "0.0")]
        {
            assert_eq!(java(number), text);
        }
    }

    #[test]
    fn text_is_a_number_only_if_it_looks_like_one() {
        for (text, found) in
            [("10", Some(10.0)), (" -1.5e3 ", Some(-1500.0)), ("1.28E8", Some(1.28e8)), (".5", Some(0.5))]
        {
            assert_eq!(number(text), found);
        }
        for text in ["", "nan", "inf", "infinity", "0x10", "1 2", "1e999", "-", "a1", &"1".repeat(41)] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn comparison_knows_numbers() {
        let text = Value::text_of;
        assert_eq!(compare(&text("9"), &text("10")), Some(Ordering::Less));
        assert_eq!(compare(&text("b"), &text("a10")), Some(Ordering::Greater));
        assert_eq!(compare(&Value::Int(200), &text("200.0")), Some(Ordering::Equal));
        assert_eq!(compare(&Value::Float(1.0), &text("x")), None);
        assert_eq!(compare(&Value::Bool(true), &text("true")), Some(Ordering::Equal));
        assert_eq!(compare(&Value::Time(0), &text("1970-01-01 00:00:00.000")), Some(Ordering::Equal));
    }

    #[test]
    fn sorting_is_natural() {
        let mut values =
            [Some("10"), Some("file10"), None, Some("9"), Some("file9"), Some("apple"), Some("file")];
        values.sort_by(|a, b| sort_order(a.map(Value::text_of).as_ref(), b.map(Value::text_of).as_ref()));
        let sorted =
            [None, Some("apple"), Some("file"), Some("file9"), Some("file10"), Some("9"), Some("10")];
        assert_eq!(values, sorted);
    }
}
