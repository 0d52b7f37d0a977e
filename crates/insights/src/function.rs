//! Functions of expressions.

mod ip;

use std::borrow::Cow;
use std::sync::Arc;

use crate::time::{self, Period};
use crate::value::{self, Value};

/// What a function does. Source for all of them: AWS, "Boolean, comparison, numeric, datetime, and other functions".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Ceil,
    Floor,
    Round,
    Greatest,
    Least,
    Log,
    Sqrt,
    ToNumber,
    ToInt,
    FromMillis,
    ToMillis,
    Now,
    IsPresent,
    Coalesce,
    If,
    IsEmpty,
    IsBlank,
    Concat,
    TrimLeft,
    TrimRight,
    Trim,
    Length,
    Upper,
    Lower,
    Substring,
    Replace,
    Contains,
    StartsWith,
    EndsWith,
    IsIp,
    IsIpv4,
    IsIpv6,
    IsIpInSubnet,
    IsIpv4InSubnet,
    IsIpv6InSubnet,
    JsonParse,
    JsonStringify,
}

/// Name in lower case, function, fewest and most arguments.
const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("abs", Function::Abs, 1, 1),
    ("ceil", Function::Ceil, 1, 1),
    ("floor", Function::Floor, 1, 1),
    ("round", Function::Round, 1, 1),
    ("greatest", Function::Greatest, 1, ARGUMENTS_MAX),
    ("least", Function::Least, 1, ARGUMENTS_MAX),
    ("log", Function::Log, 1, 1),
    ("sqrt", Function::Sqrt, 1, 1),
    ("tonumber", Function::ToNumber, 1, 1),
    ("todouble", Function::ToNumber, 1, 1),
    ("toint", Function::ToInt, 1, 1),
    ("tolong", Function::ToInt, 1, 1),
    ("frommillis", Function::FromMillis, 1, 1),
    ("tomillis", Function::ToMillis, 1, 1),
    ("now", Function::Now, 0, 0),
    ("ispresent", Function::IsPresent, 1, 1),
    ("coalesce", Function::Coalesce, 1, ARGUMENTS_MAX),
    ("if", Function::If, 3, 3),
    ("isempty", Function::IsEmpty, 1, 1),
    ("isblank", Function::IsBlank, 1, 1),
    ("concat", Function::Concat, 1, ARGUMENTS_MAX),
    ("ltrim", Function::TrimLeft, 1, 2),
    ("rtrim", Function::TrimRight, 1, 2),
    ("trim", Function::Trim, 1, 2),
    ("strlen", Function::Length, 1, 1),
    ("toupper", Function::Upper, 1, 1),
    ("tolower", Function::Lower, 1, 1),
    ("substr", Function::Substring, 2, 3),
    ("replace", Function::Replace, 3, 3),
    ("strcontains", Function::Contains, 2, 2),
    ("startswith", Function::StartsWith, 2, 2),
    ("endswith", Function::EndsWith, 2, 2),
    ("isvalidip", Function::IsIp, 1, 1),
    ("isvalidipv4", Function::IsIpv4, 1, 1),
    ("isvalidipv6", Function::IsIpv6, 1, 1),
    ("isipinsubnet", Function::IsIpInSubnet, 2, 2),
    ("isipv4insubnet", Function::IsIpv4InSubnet, 2, 2),
    ("isipv6insubnet", Function::IsIpv6InSubnet, 2, 2),
    ("jsonparse", Function::JsonParse, 1, 1),
    ("jsonstringify", Function::JsonStringify, 1, 1),
];

/// AWS's functions that aren't run here.
pub(crate) const UNSUPPORTED: &[&str] = &[
    "base64decode",
    "base64encode",
    "case",
    "count_over_time",
    "haversine",
    "histogram",
    "ipv4tonumber",
    "isprivateip",
    "ispublicip",
    "isreservedip",
    "md5",
    "offset",
    "rate",
    "regex_replace",
    "sha256",
    "split",
    "sum_over_time",
    "urldecode",
    "urlencode",
    "values",
];

/// Arguments of one call.
const ARGUMENTS_MAX: usize = 100;
/// Longest text that a function makes, bytes; a longer one is missing instead.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// The function of a name, with the fewest and most arguments that it takes. Upper and lower case are alike.
pub(crate) fn named(name: &str) -> Option<(Function, usize, usize)> {
    let name = name.to_ascii_lowercase();
    FUNCTIONS.iter().find(|found| found.0 == name).map(|found| (found.1, found.2, found.3))
}

/// Cuts a time to a period: down for `bin` and `datefloor`, up for `dateceil`.
pub(crate) fn cut(value: &Value<'_>, period: Period, is_up: bool) -> Option<Value<'static>> {
    let at_ms = millis(value)?;
    Some(Value::Time(if is_up { period.ceil(at_ms) } else { period.floor(at_ms) }))
}

fn millis(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Time(at_ms) | Value::Int(at_ms) => Some(*at_ms),
        Value::Text(text) => time::parse(text).or_else(|| value.number().and_then(whole)),
        other => other.number().and_then(whole),
    }
    // Far beyond any calendar, and safe to count with.
    .filter(|at_ms| at_ms.unsigned_abs() < 1 << 56)
}

fn whole(number: f64) -> Option<i64> {
    (number.abs() < 9e18).then_some(number as i64)
}

/// Calls a function; `now_s` in seconds since 1970. What can't be computed is missing.
pub(crate) fn call<'e>(
    function: Function,
    mut arguments: impl FnMut(usize) -> Option<Option<Value<'e>>>,
    now_s: i64,
) -> Option<Value<'e>> {
    use Function::*;
    let mut next = |place: usize| arguments(place).flatten();
    match function {
        Abs => Value::of(next(0)?.number()?.abs()),
        Ceil => Value::of(next(0)?.number()?.ceil()),
        Floor => Value::of(next(0)?.number()?.floor()),
        Round => Value::of(next(0)?.number()?.round()),
        Log => Value::of(next(0)?.number()?.ln()),
        Sqrt => Value::of(next(0)?.number()?.sqrt()),
        ToNumber => Value::of(next(0)?.number()?),
        ToInt => Some(Value::Int(whole(next(0)?.number()?)?)),
        Greatest => extreme(arguments, f64::max),
        Least => extreme(arguments, f64::min),
        FromMillis => Some(Value::Time(millis(&next(0)?)?)),
        ToMillis => Some(Value::Int(millis(&next(0)?)?)),
        Now => Some(Value::Int(now_s)),
        IsPresent => Some(Value::Bool(next(0).is_some())),
        Coalesce => (0..).map_while(&mut arguments).flatten().next(),
        If => {
            let is = next(0).is_some_and(|value| value.is_true());
            next(if is { 1 } else { 2 })
        }
        IsEmpty => Some(Value::Bool(next(0).is_none_or(|value| value.text().is_empty()))),
        IsBlank => Some(Value::Bool(next(0).is_none_or(|value| value.text().trim().is_empty()))),
        Concat => concat(arguments),
        JsonParse => {
            let text = next(0)?;
            let json: serde_json::Value = serde_json::from_str(&text.text()).ok()?;
            (json.is_object() || json.is_array()).then(|| Value::Json(Arc::new(json)))
        }
        JsonStringify => match next(0)? {
            Value::Json(json) => Some(Value::Text(json.to_string().into())),
            value => Some(Value::Text(serde_json::Value::from(value.text()).to_string().into())),
        },
        IsIp | IsIpv4 | IsIpv6 => Some(Value::Bool(ip::is_valid(function, &next(0)?.text()))),
        IsIpInSubnet | IsIpv4InSubnet | IsIpv6InSubnet => {
            Some(Value::Bool(ip::is_in_subnet(function, &next(0)?.text(), &next(1)?.text())))
        }
        _ => text_call(function, next),
    }
}

fn text_call<'e>(function: Function, mut next: impl FnMut(usize) -> Option<Value<'e>>) -> Option<Value<'e>> {
    use Function::*;
    let first = next(0)?.into_text();
    match function {
        TrimLeft | TrimRight | Trim => {
            let set = next(1).map(Value::into_text);
            let drop = |c: char| set.as_ref().map_or(c.is_whitespace(), |set| set.contains(c));
            Some(Value::Text(sliced(first, |text| match function {
                TrimLeft => text.trim_start_matches(drop),
                TrimRight => text.trim_end_matches(drop),
                _ => text.trim_matches(drop),
            })))
        }
        Length => Some(Value::Int(first.chars().count() as i64)),
        Upper => limited(first.to_uppercase()),
        Lower => limited(first.to_lowercase()),
        Substring => {
            let start = whole(next(1)?.number()?).and_then(|start| usize::try_from(start).ok())?;
            let length = match next(2) {
                Some(length) => usize::try_from(whole(length.number()?)?).ok()?,
                None => usize::MAX,
            };
            Some(Value::Text(sliced(first, |text| substring(text, start, length))))
        }
        Replace => {
            let (old, new) = (next(1)?.into_text(), next(2)?.into_text());
            let count =
                if old.is_empty() { return Some(Value::Text(first)) } else { first.matches(&*old).count() };
            if first.len() - count * old.len() + count * new.len() > TEXT_BYTES_MAX {
                return None;
            }
            Some(Value::Text(first.replace(&*old, &new).into()))
        }
        Contains => Some(Value::Bool(first.contains(&*next(1)?.text()))),
        StartsWith => Some(Value::Bool(first.starts_with(&*next(1)?.text()))),
        EndsWith => Some(Value::Bool(first.ends_with(&*next(1)?.text()))),
        _ => None,
    }
}

/// Part of a text, without a copy where the text isn't ours.
fn sliced<'e>(text: Cow<'e, str>, slice: impl FnOnce(&str) -> &str) -> Cow<'e, str> {
    match text {
        Cow::Borrowed(text) => {
            // The slice of a borrowed text lives as long as the text: found again by its place.
            let part = slice(text);
            let start = part.as_ptr() as usize - text.as_ptr() as usize;
            Cow::Borrowed(&text[start..start + part.len()])
        }
        Cow::Owned(text) => Cow::Owned(slice(&text).to_owned()),
    }
}

fn substring(text: &str, start: usize, length: usize) -> &str {
    let place = |text: &str, count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    let rest = &text[place(text, start)..];
    &rest[..place(rest, length)]
}

fn limited(text: String) -> Option<Value<'static>> {
    (text.len() <= TEXT_BYTES_MAX).then(|| Value::Text(text.into()))
}

fn extreme<'e>(
    mut arguments: impl FnMut(usize) -> Option<Option<Value<'e>>>,
    choose: fn(f64, f64) -> f64,
) -> Option<Value<'e>> {
    let numbers = (0..).map_while(&mut arguments).flatten().filter_map(|value| value.number());
    Value::of(numbers.reduce(choose)?)
}

fn concat<'e>(mut arguments: impl FnMut(usize) -> Option<Option<Value<'e>>>) -> Option<Value<'e>> {
    let mut out = String::new();
    for value in (0..).map_while(&mut arguments).flatten() {
        out.push_str(&value.text());
        if out.len() > TEXT_BYTES_MAX {
            return None;
        }
    }
    Some(Value::Text(out.into()))
}

/// A member of parsed JSON by its path: names and places between dots.
pub(crate) fn member(json: &serde_json::Value, path: &str) -> Option<Value<'static>> {
    let mut json = json;
    let mut rest = path;
    while !rest.is_empty() {
        let (key, after) = match json {
            // A name may have dots of its own: the longest that fits is meant.
            serde_json::Value::Object(members) => {
                let fits = |key: &&String| {
                    rest.strip_prefix(key.as_str())
                        .is_some_and(|after| after.is_empty() || after.starts_with('.'))
                };
                let key = members.keys().filter(fits).max_by_key(|key| key.len())?;
                (members.get(key)?, &rest[key.len()..])
            }
            serde_json::Value::Array(items) => {
                let (place, after) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                (items.get(place.parse::<usize>().ok()?)?, after)
            }
            _ => return None,
        };
        (json, rest) = (key, after.strip_prefix('.').unwrap_or(after));
    }
    match json {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(is) => Some(Value::Bool(*is)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(int) => Some(Value::Int(int)),
            None => Some(Value::Text(number.to_string().into())),
        },
        serde_json::Value::String(text) => Some(Value::Text(text.clone().into())),
        other => Some(Value::Json(Arc::new(other.clone()))),
    }
}

/// Arithmetic on two numbers; what has no result is missing.
pub(crate) fn arithmetic(operator: crate::syntax::Binary, left: f64, right: f64) -> Option<Value<'static>> {
    use crate::syntax::Binary;
    let number = match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide => left / right,
        Binary::Remainder => left % right,
        Binary::Power => left.powf(right),
        _ => return None,
    };
    value::Value::of(number)
}
