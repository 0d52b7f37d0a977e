//! Lists in one header: `a, "b,c"`.

use crate::model::TimestampFormat;
use std::borrow::Cow;

/// The elements of a list. Dates have a comma of their own.
pub fn split(text: &str, date: Option<TimestampFormat>) -> Vec<Cow<'_, str>> {
    if date == Some(TimestampFormat::HttpDate) {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        return parts.chunks(2).map(|pair| Cow::Owned(pair.join(", "))).collect();
    }
    let mut items = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (item, left) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (item, left) = rest.split_once(',').unwrap_or((rest, ""));
                (Cow::Borrowed(item.trim()), left)
            }
        };
        items.push(item);
        rest = left.trim_start();
    }
    items
}

/// Reads up to the closing quote and past the next comma.
fn unquote(text: &str) -> (Cow<'_, str>, &str) {
    let mut item = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => item.extend(characters.next().map(|(_, escaped)| escaped)),
            '"' => {
                let left = text[at + 1..].trim_start();
                return (item.into(), left.strip_prefix(',').unwrap_or(left));
            }
            other => item.push(other),
        }
    }
    (item.into(), "")
}

/// Writes a list; elements are quoted where they must be.
pub fn join<'a>(items: impl Iterator<Item = Cow<'a, str>>, date: bool) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push_str(", ");
        }
        if !date && item.contains(['"', ',']) {
            text.push('"');
            text.push_str(&item.replace('\\', "\\\\").replace('"', "\\\""));
            text.push('"');
        } else {
            text.push_str(&item);
        }
    }
    text
}
