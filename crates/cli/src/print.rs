//! Data as text.

use serde_json::Value as Json;

use crate::arguments::Output;
use crate::table;

/// Longer text is cut in tables; the other forms have all of it.
const CELL_CHARS_MAX: usize = 100;

/// The data in the form that was asked for, with its last line's end.
pub fn rendered(data: &Json, output: Output) -> String {
    match output {
        Output::Json => {
            let mut text = serde_json::to_string_pretty(data).expect("JSON is written");
            text.push('\n');
            text
        }
        Output::Text => {
            let mut text = String::new();
            flatten(data, &mut String::new(), &mut text);
            text
        }
        Output::Table => {
            let mut text = String::new();
            section(data, "", &mut text);
            text
        }
    }
}

/// `Rollout.Steps.0.Percent<TAB>10`: greppable, and cut at the tab.
fn flatten(data: &Json, path: &mut String, out: &mut String) {
    let length = path.len();
    let mut below = |step: &str, value: &Json| {
        if length > 0 {
            path.push('.');
        }
        path.push_str(step);
        flatten(value, path, out);
        path.truncate(length);
    };
    match data {
        Json::Object(members) => members.iter().for_each(|(name, value)| below(name, value)),
        Json::Array(items) => items.iter().enumerate().for_each(|(at, item)| below(&at.to_string(), item)),
        leaf => {
            out.push_str(path);
            out.push('\t');
            // A value stays on its line.
            out.push_str(&plain(leaf).replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t"));
            out.push('\n');
        }
    }
}

/// Single values first, one a line; then every list of objects as a table of its own, and every object as a section.
fn section(data: &Json, title: &str, out: &mut String) {
    match data {
        Json::Object(members) => {
            let (single, nested): (Vec<_>, Vec<_>) = members.iter().partition(|(_, value)| is_single(value));
            if !title.is_empty() && !single.is_empty() {
                heading(title, out);
            }
            let rows: Vec<Vec<String>> =
                single.iter().map(|(name, value)| vec![(*name).clone(), cell(value)]).collect();
            // Two columns of words: a number here is no column of numbers.
            let width = rows.iter().map(|row| row[0].chars().count()).max().unwrap_or_default();
            for row in rows {
                out.push_str(format!("{:width$}  {}", row[0], row[1]).trim_end());
                out.push('\n');
            }
            for (name, value) in nested {
                let title = if title.is_empty() { name.clone() } else { format!("{title}.{name}") };
                section(value, &title, out);
            }
        }
        Json::Array(items) if !items.is_empty() && items.iter().all(Json::is_object) => {
            heading(title, out);
            rows(items, out);
        }
        other => {
            heading(title, out);
            out.push_str(&cell(other));
            out.push('\n');
        }
    }
}

fn heading(title: &str, out: &mut String) {
    if title.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(title);
    out.push_str(":\n");
}

fn rows(items: &[Json], out: &mut String) {
    let mut names: Vec<&String> = Vec::new();
    for name in items.iter().filter_map(Json::as_object).flat_map(serde_json::Map::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut table: Vec<Vec<String>> = vec![names.iter().map(|name| (*name).clone()).collect()];
    for item in items {
        table.push(names.iter().map(|name| item.get(name.as_str()).map(cell).unwrap_or_default()).collect());
    }
    out.push_str(&table::columns(&table));
}

fn is_single(value: &Json) -> bool {
    match value {
        Json::Object(_) => false,
        Json::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

/// A value as a cell: one line, not endless, and without anything that a terminal would obey.
fn cell(value: &Json) -> String {
    let text = match value {
        Json::Array(items) if is_single(value) => items.iter().map(plain).collect::<Vec<String>>().join(", "),
        value => plain(value),
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Json {
        json!({
            "name": "app", "version": 7, "tags": ["a", "b"],
            "items": [{"id": "x", "count": 10}, {"id": "yy", "count": 9, "note": "two\nlines"}],
            "code": {"size": 12, "layers": []},
        })
    }

    #[test]
    fn a_table_has_values_then_tables() {
        let expected = "\
name     app
version  7
tags     a, b

items:
id  count  note
x      10
yy      9  two lines

code:
size    12
layers
";
        assert_eq!(rendered(&sample(), Output::Table), expected);
    }

    #[test]
    fn text_has_a_value_a_line() {
        let expected = "name\tapp\nversion\t7\ntags.0\ta\ntags.1\tb\nitems.0.id\tx\nitems.0.count\t10\n\
                        items.1.id\tyy\nitems.1.count\t9\nitems.1.note\ttwo\\nlines\ncode.size\t12\n";
        assert_eq!(rendered(&sample(), Output::Text), expected);
    }

    #[test]
    fn json_comes_back_the_same() {
        assert_eq!(serde_json::from_str::<Json>(&rendered(&sample(), Output::Json)).unwrap(), sample());
    }

    #[test]
    fn a_cell_gives_the_terminal_no_orders() {
        let text = rendered(&json!({"a": "\u{1b}[2Jx", "b": "y".repeat(500)}), Output::Table);
        assert!(!text.contains('\u{1b}') && text.contains('…'), "{text}");
    }
}
