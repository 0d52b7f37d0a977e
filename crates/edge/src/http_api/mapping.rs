//! Parameter mapping: what an integration changes of a request on its way and of an answer on its way back. Source: API Gateway
//! developer guide, "Transforming API requests and responses for HTTP APIs".

use pitbird_records::Texts;
use serde_json::Value as Json;

/// Where a mapping's values come from.
pub(super) trait Values {
    /// `header.X`, `querystring.X`, `path`, `path.X`, `body` or `body.X` of what is mapped.
    fn own(&self, name: &str) -> Option<String>;
    fn context(&self, name: &str) -> Option<String>;
    fn stage_variable(&self, name: &str) -> Option<String>;
}

/// What is done with one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Append(Place, String),
    Overwrite(Place, String),
    Remove(Place),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In lower case.
    Header(String),
    Query(String),
    Path,
    Status,
}

/// The changes that mappings make, in the order removed, overwritten, appended. A variable without a value maps nothing.
pub(super) fn changes(parameters: &Texts, own: &str, values: &impl Values) -> Vec<Change> {
    let mut changes = Vec::new();
    for action in ["remove", "overwrite", "append"] {
        for (key, text) in parameters {
            let Some(place) = key.strip_prefix(action).and_then(|rest| rest.strip_prefix(':')) else {
                continue;
            };
            let Some(place) = Place::parse(place) else { continue };
            if action == "remove" {
                changes.push(Change::Remove(place));
                continue;
            }
            let Some(value) = rendered(text, own, values) else { continue };
            changes.push(match action {
                "overwrite" => Change::Overwrite(place, value),
                _ => Change::Append(place, value),
            });
        }
    }
    changes
}

impl Place {
    fn parse(text: &str) -> Option<Place> {
        match text.split_once('.') {
            Some(("header", name)) => Some(Place::Header(name.to_ascii_lowercase())),
            Some(("querystring", name)) => Some(Place::Query(name.to_owned())),
            None if text == "path" => Some(Place::Path),
            None if text == "statuscode" => Some(Place::Status),
            _ => None,
        }
    }
}

/// One variable, text with `${…}` in it, or plain text.
fn rendered(text: &str, own: &str, values: &impl Values) -> Option<String> {
    if text.starts_with('$') && !text.starts_with("${") {
        return variable(text, own, values);
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        out.push_str(before);
        let name = if name.starts_with('$') { name.to_owned() } else { format!("${name}") };
        out.push_str(&variable(&name, own, values).unwrap_or_default());
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

fn variable(text: &str, own: &str, values: &impl Values) -> Option<String> {
    if let Some(name) = text.strip_prefix("$context.") {
        return values.context(name);
    }
    if let Some(name) = text.strip_prefix("$stageVariables.") {
        return values.stage_variable(name);
    }
    values.own(text.strip_prefix(own)?)
}

/// Of a body no more is looked at, bytes. Source: API Gateway developer guide.
const BODY_BYTES_MAX: usize = 100 * 1024;

/// What a path such as `a.b[0].c` selects in a JSON body; `None` where it selects nothing.
pub(super) fn select(body: &[u8], path: &str) -> Option<String> {
    if body.len() > BODY_BYTES_MAX {
        return None;
    }
    let json: Json = serde_json::from_slice(body).ok()?;
    let mut at = &json;
    for piece in path.split('.') {
        if piece.is_empty() {
            return None;
        }
        let (name, indices) = piece.split_at(piece.find('[').unwrap_or(piece.len()));
        if !name.is_empty() {
            at = at.get(name)?;
        }
        for index in indices.split('[').skip(1) {
            at = at.get(index.strip_suffix(']')?.parse::<usize>().ok()?)?;
        }
    }
    Some(match at {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// A whole body as text.
pub(super) fn whole(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(BODY_BYTES_MAX)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Values for Known {
        fn own(&self, name: &str) -> Option<String> {
            let body = br#"{"a":{"b":[{"c":7},"x"]}}"#;
            match name.split_once('.') {
                Some(("header", "x-in")) => Some("in".to_owned()),
                Some(("body", path)) => select(body, path),
                None if name == "path" => Some("/pets".to_owned()),
                _ => None,
            }
        }

        fn context(&self, name: &str) -> Option<String> {
            (name == "requestId").then(|| "r".to_owned())
        }

        fn stage_variable(&self, name: &str) -> Option<String> {
            (name == "v").then(|| "1".to_owned())
        }
    }

    fn run(parameters: &[(&str, &str)]) -> Vec<Change> {
        let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        changes(&parameters.collect(), "$request.", &Known)
    }

    #[test]
    fn values_are_variables_texts_or_both() {
        for (text, expected) in [
            ("plain", Some("plain")),
            ("$request.header.x-in", Some("in")),
            ("$request.header.none", None),
            ("$request.body.a.b[0].c", Some("7")),
            ("$request.body.a.b[1]", Some("x")),
            ("$request.body.a.b[2]", None),
            ("$request.body.a", Some(r#"{"b":[{"c":7},"x"]}"#)),
            ("$stageVariables.v", Some("1")),
            ("/v${stageVariables.v}${request.path}-${context.requestId}", Some("/v1/pets-r")),
            ("${request.header.none}x", Some("x")),
            ("a${b", Some("a${b")),
        ] {
            assert_eq!(rendered(text, "$request.", &Known).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn changes_come_in_their_order() {
        let changes = run(&[
            ("append:header.X-A", "1"),
            ("overwrite:path", "$request.path"),
            ("overwrite:querystring.q", "$request.header.none"),
            ("remove:querystring.q", "''"),
        ]);
        let expected = [
            Change::Remove(Place::Query("q".to_owned())),
            Change::Overwrite(Place::Path, "/pets".to_owned()),
            Change::Append(Place::Header("x-a".to_owned()), "1".to_owned()),
        ];
        assert_eq!(changes, expected);
    }

    #[test]
    fn a_large_body_isnt_looked_into() {
        let body = |filler: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(filler));
        let frame = body(0).len();
        assert!(select(body(BODY_BYTES_MAX - frame).as_bytes(), "a").is_some());
        assert_eq!(select(body(BODY_BYTES_MAX - frame + 1).as_bytes(), "a"), None);
        for path in ["", "[", "a[", "a[x]", "..", "a.b"] {
            assert_eq!(select(br#"{"a":[1]}"#, path), None, "{path}");
        }
        assert_eq!(whole(&vec![b'x'; BODY_BYTES_MAX + 1]).len(), BODY_BYTES_MAX);
    }

    /// A line is a place and a value. For minutes: `PITBIRD_FUZZ_SECONDS=600 cargo nextest run -p pitbird-edge of_strangers`.
    #[test]
    fn mappings_of_strangers_change_something_or_nothing() {
        const PIECES: &[&str] = &[
            "append:",
            "overwrite:",
            "remove:",
            "header.x-a",
            "querystring.q",
            "path",
            "statuscode",
            "=",
            "\n",
            "$request.",
            "header.x-in",
            "body",
            "body.a.b[0].c",
            "$context.requestId",
            "$stageVariables.v",
            "${",
            "}",
            "$",
            ".",
            "[",
            "]",
            "[0]",
        ];
        let seeds: &[&[u8]] = &[
            b"append:header.x-a=$request.header.x-in",
            b"overwrite:path=/v${stageVariables.v}${request.path}\nremove:querystring.q=''",
            b"overwrite:querystring.q=$request.body.a.b[0].c",
        ];
        let tried = pitbird_testkit::try_hostile("mappings", PIECES, seeds, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let pairs: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
            let _ = select(br#"{"a":{"b":[{"c":7},"x"]}}"#, &text);
            !run(&pairs).is_empty()
        });
        assert!(tried.read > 0, "{tried:?}");
    }
}
