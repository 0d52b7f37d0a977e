//! Whatever text comes, nothing panics. For minutes and nights the crate `hostile` tries the same.

use proptest::prelude::*;
use serde_json::Value;

use super::{BODY, Exchange, Template};
use crate::jsonpath::JsonPath;

const PIECES: &[&str] = &[
    "#set($",
    "#if(",
    "#foreach($x in ",
    "#end",
    "#else",
    "#elseif(",
    "#macro(f $a)",
    "#f(",
    "#@f(",
    "#define($b)",
    "#stop",
    "#break",
    "#[[",
    "]]#",
    "#*",
    "*#",
    "##",
    "$",
    "$!",
    "${",
    "}",
    "{",
    "$a",
    "$b",
    "$x",
    "$m",
    "$foreach",
    "$velocityCount",
    ".hasNext",
    ".index",
    "(",
    ")",
    "[",
    "]",
    "..",
    ",",
    ":",
    " = ",
    " == ",
    " + ",
    " - ",
    " * ",
    " / ",
    " % ",
    " && ",
    " || ",
    "!",
    " < ",
    "'",
    "\"",
    "\\",
    "\\$",
    "\\#",
    "\n",
    " ",
    "1",
    "-1",
    "0",
    "9223372036854775807",
    "1.5",
    "1e308",
    "true",
    "false",
    "é",
    "\u{1F600}",
    "\\u00e9",
    "\\uD83D",
    ".size()",
    ".get(",
    ".put(",
    ".add(",
    ".x",
    "[0]",
    ".substring(",
    ".split('",
    ".replaceAll('",
    "(a*)*$1",
    ".keySet()",
    ".entrySet()",
    ".remove(",
    ".key",
    ".value",
    ".toString()",
    ".length()",
    "$input.json('",
    "$input.path('",
    "$input.params()",
    "$input.params('",
    "$.name",
    "$..*",
    "$[?(@.a>1)]",
    "$.tags[*]",
    "')",
    "$util.escapeJavaScript(",
    "$util.parseJson(",
    "$util.base64Decode(",
    "$context.requestOverride.header.a",
    "$context.responseOverride.status",
    "$context.identity",
    "$stageVariables.host",
    "#set($m={'k':[1,'a',{}]})",
    "#set($a=[1..5])",
    "#set($x=\"$a #if($b)$x#end\")",
    "null",
    " in ",
    "#{else}",
    "#{end}",
];

fn render(template: &str, body: &str) {
    let context = serde_json::json!({"identity": {"sourceIp": "192.0.2.1", "list": [1, {"a": null}]}});
    let stage_variables = std::collections::BTreeMap::from([("host".to_owned(), "one".to_owned())]);
    if let Ok(template) = Template::parse(template) {
        // A failure is as good as a text; a panic is what this looks for.
        let _ = template.render(&Exchange {
            body,
            path: &[("id", "12")],
            querystring: &[("q", "x y")],
            header: &[("Accept", "é")],
            context: &context,
            stage_variables: &stage_variables,
        });
    }
}

proptest! {
    #[test]
    fn any_template_renders_or_fails(template in any::<String>(), body in any::<String>()) {
        render(&template, &body);
    }

    #[test]
    fn pieces_of_templates_render_or_fail(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        render(&pieces.concat(), BODY);
    }

    #[test]
    fn any_text_is_a_path_or_not(path in any::<String>()) {
        read(&path);
    }

    #[test]
    fn pieces_of_paths_find_or_fail(pieces in prop::collection::vec(prop::sample::select(PATHS), 0..16)) {
        read(&pieces.concat());
    }

    /// What has no sign in it is text.
    #[test]
    fn text_renders_as_itself(text in "[^$#\\\\]*") {
        let template = Template::parse(&text).expect("text is a template");
        let rendered = template.render(&Exchange {
            body: "",
            path: &Value::Null,
            querystring: &Value::Null,
            header: &Value::Null,
            context: &Value::Null,
            stage_variables: &Value::Null,
        });
        prop_assert_eq!(rendered.map(|rendered| rendered.text), Ok(text));
    }

    /// `$input.json('$')` gives what was sent, whatever that was.
    #[test]
    fn json_comes_out_as_it_went_in(text in any::<String>(), number in any::<i64>(), truth in any::<bool>()) {
        let sent = serde_json::json!({"z": text, "a": [number, {"b": truth}, null]});
        let template = Template::parse("$input.json('$')").expect("a template");
        let rendered = template.render(&Exchange {
            body: &sent.to_string(),
            path: &Value::Null,
            querystring: &Value::Null,
            header: &Value::Null,
            context: &Value::Null,
            stage_variables: &Value::Null,
        });
        let read: serde_json::Value = serde_json::from_str(&rendered.expect("it renders").text).expect("JSON");
        prop_assert_eq!(read, sent);
    }
}

const PATHS: &[&str] = &[
    "$",
    "@",
    ".",
    "..",
    "*",
    "[",
    "]",
    "name",
    "tags",
    "'",
    "\"",
    "0",
    "-1",
    ":",
    ",",
    "[?(",
    ")]",
    "@.c",
    " == ",
    " > ",
    "5",
    "&&",
    "||",
    "!",
    "(",
    ")",
    " in ",
    "=~",
    "/a.*/i",
    ".length()",
    ".sum()",
    ".keys()",
    "null",
    "true",
    "é",
    "\\",
    "[*]",
    "$..*",
];

fn read(path: &str) {
    if let Ok(path) = JsonPath::parse(path) {
        let _ = path.read_json(BODY);
        let _ = path.read_text(BODY);
    }
}
