//! A document's text: JSON or YAML, to a tree and back.

mod scalar;
mod yaml;

pub use yaml::write as to_yaml;

use serde_json::Value;

use crate::Error;

/// Longest document, bytes. Source: API Gateway quotas (6 MB).
pub const BYTES_MAX: usize = 6 * 1024 * 1024;
/// Deepest nesting. Source: none published; a schema by hand has a tenth of it.
pub const DEPTH_MAX: usize = 100;

/// Reads a document's tree, its members in their order.
///
/// # Errors
/// When it is too long or too deep, is neither JSON nor YAML, or its YAML aliases are a bomb.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    if bytes.len() > BYTES_MAX {
        return Err(Error::TooLong(BYTES_MAX));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Error::Unreadable(error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}');
    // JSON is YAML too, nearly, and twenty times as fast to read as what it is.
    if text.trim_start().starts_with('{')
        && let Ok(tree) = serde_json::from_str(text)
    {
        return if depth(&tree) > DEPTH_MAX { Err(Error::TooDeep(DEPTH_MAX)) } else { Ok(tree) };
    }
    yaml::read(text)
}

/// A tree as indented JSON in the manner of the service's: ` : ` between name and value.
pub fn to_json(tree: &Value) -> String {
    let mut out = String::new();
    write_json(tree, 0, &mut out);
    out
}

fn write_json(tree: &Value, indent: usize, out: &mut String) {
    let margin = |out: &mut String, indent: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", indent));
    };
    match tree {
        Value::Object(members) if members.is_empty() => out.push_str("{ }"),
        Value::Object(members) => {
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                margin(out, indent + 1);
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push_str(" : ");
                write_json(value, indent + 1, out);
            }
            margin(out, indent);
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { " " } else { ", " });
                write_json(item, indent, out);
            }
            out.push_str(" ]");
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// How deep a tree is: a scalar 0, an empty list 1. The tree's reader has bounded it.
fn depth(tree: &Value) -> usize {
    match tree {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
