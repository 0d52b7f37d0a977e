//! YAML to a tree, by events: so depth, aliases and how much they repeat are bounded while it is read.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::{DEPTH_MAX, depth, scalar};
use crate::Error;

/// How much aliases may repeat, in bytes of text and some for each value: a bomb ends here.
const EXPANSION_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a value takes beside its text.
const VALUE_BYTES: usize = 32;
/// How much is told of a key that stands twice.
const KEY_CHARS_TOLD: usize = 200;

/// A list or a mapping that isn't at its end.
struct Open {
    anchor: usize,
    tree: Value,
    /// A mapping's key that waits for its value.
    key: Option<String>,
    /// Is that key YAML's `<<`, not quoted?
    is_merge: bool,
    /// Members of others, which the mapping may have itself.
    merged: HashSet<String>,
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    expanded: usize,
    root: Option<Value>,
}

/// Reads a text's only document. Behind it there may be one that is empty, as a last `---` makes it.
pub fn read(text: &str) -> Result<Value, Error> {
    let mut reader = Reader::default();
    let mut is_behind = false;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| Error::Unreadable(error.to_string()))?;
        match event {
            Event::DocumentEnd => is_behind = true,
            Event::Scalar(text, ScalarStyle::Plain, ..) if is_behind && scalar::plain(&text).is_null() => {}
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_)
                if is_behind =>
            {
                return Err(Error::Documents);
            }
            event => reader.take(event)?,
        }
    }
    reader.root.ok_or_else(|| Error::Unreadable("the document is empty".to_owned()))
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), Error> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain
                    || tag.is_some_and(|tag| tag.suffix == "str" || !tag.is_yaml_core_schema());
                let is_key = self.open.last().is_some_and(|open| open.tree.is_object() && open.key.is_none());
                let value = if is_text || is_key { Value::from(text.as_ref()) } else { scalar::plain(&text) };
                let is_merge = is_key && !is_text && text == "<<";
                self.place(value, anchor)?;
                if let Some(open) = self.open.last_mut().filter(|_| is_merge) {
                    open.is_merge = true;
                }
                Ok(())
            }
            Event::SequenceStart(anchor, _) => self.start(Value::Array(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.start(Value::Object(Map::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.place(open.tree, open.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor);
                let value = value.ok_or_else(|| Error::Unreadable("an alias of itself".to_owned()))?;
                let value = copy(value, &mut self.expanded)?;
                if self.open.len() + depth(&value) > DEPTH_MAX {
                    return Err(Error::TooDeep(DEPTH_MAX));
                }
                self.place(value, 0)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn start(&mut self, tree: Value, anchor: usize) -> Result<(), Error> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Error::TooDeep(DEPTH_MAX));
        }
        self.open.push(Open { anchor, tree, key: None, is_merge: false, merged: HashSet::new() });
        Ok(())
    }

    /// Puts a whole value where it belongs.
    fn place(&mut self, value: Value, anchor: usize) -> Result<(), Error> {
        if anchor != 0 {
            let copy = copy(&value, &mut self.expanded)?;
            self.anchors.insert(anchor, copy);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match (&mut open.tree, open.key.take()) {
            (Value::Array(items), _) => items.push(value),
            (Value::Object(members), Some(_)) if std::mem::take(&mut open.is_merge) => {
                merge(members, value, &mut open.merged);
            }
            (Value::Object(members), Some(key)) => {
                if members.contains_key(&key) && !open.merged.remove(&key) {
                    return Err(Error::Twice(key.chars().take(KEY_CHARS_TOLD).collect()));
                }
                members.insert(key, value);
            }
            (_, _) => {
                open.key = Some(match value {
                    Value::String(text) => text,
                    Value::Array(_) | Value::Object(_) => {
                        return Err(Error::Unreadable("a key that is no scalar".to_owned()));
                    }
                    other => other.to_string(),
                });
            }
        }
        Ok(())
    }
}

/// A mapping's `<<`: members of others that it doesn't have itself.
fn merge(members: &mut Map<String, Value>, others: Value, merged: &mut HashSet<String>) {
    let others = match others {
        Value::Array(others) => others,
        other => vec![other],
    };
    for other in others {
        let Value::Object(other) = other else { continue };
        for (name, value) in other {
            if !members.contains_key(&name) {
                merged.insert(name.clone());
                members.insert(name, value);
            }
        }
    }
}

fn copy(value: &Value, expanded: &mut usize) -> Result<Value, Error> {
    *expanded += bytes(value);
    if *expanded > EXPANSION_BYTES_MAX {
        return Err(Error::Expands(EXPANSION_BYTES_MAX));
    }
    Ok(value.clone())
}

fn bytes(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(bytes).sum(),
            Value::Object(members) => members.iter().map(|(name, value)| name.len() + bytes(value)).sum(),
            _ => 0,
        }
}

/// A tree as YAML in the manner of the service's exports: texts in double quotes, lists not indented.
pub fn write(tree: &Value) -> String {
    let mut out = String::from("---");
    write_value(tree, 0, &mut out);
    out.push('\n');
    out
}

fn write_value(tree: &Value, indent: usize, out: &mut String) {
    let margin = |out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", indent));
    };
    match tree {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                margin(out);
                write_member(name, value, indent, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                margin(out);
                out.push('-');
                write_item(item, indent, out);
            }
        }
        Value::Object(_) => out.push_str(" {}"),
        Value::Array(_) => out.push_str(" []"),
        Value::String(text) => {
            out.push(' ');
            quote(text, out);
        }
        scalar => {
            out.push(' ');
            out.push_str(&scalar.to_string());
        }
    }
}

fn write_member(name: &str, value: &Value, indent: usize, out: &mut String) {
    if is_plain_key(name) {
        out.push_str(name);
    } else {
        quote(name, out);
    }
    out.push(':');
    // A list's dashes stand below its name.
    let below = if value.is_array() { indent } else { indent + 1 };
    write_value(value, below, out);
}

/// A mapping in a list begins behind the dash.
fn write_item(item: &Value, indent: usize, out: &mut String) {
    match item {
        Value::Object(members) if !members.is_empty() => {
            for (at, (name, value)) in members.iter().enumerate() {
                if at == 0 {
                    out.push(' ');
                } else {
                    out.push('\n');
                    out.extend(std::iter::repeat_n("  ", indent + 1));
                }
                write_member(name, value, indent + 1, out);
            }
        }
        item => write_value(item, indent + 1, out),
    }
}

fn is_plain_key(name: &str) -> bool {
    let is_word = |word: &str| ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&word);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_/.{}+-".contains(c))
        && !is_word(&name.to_ascii_lowercase())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || "\u{feff}\u{2028}\u{2029}\u{fffe}\u{ffff}".contains(c) => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
