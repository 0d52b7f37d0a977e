//! What turns requests and answers into others: templates, paths into JSON, parameters.

use std::collections::BTreeMap;

use pitbird_mapping::jsonpath::JsonPath;
use pitbird_mapping::parameter::{Direction, Message, Source, Target as Place};
use pitbird_mapping::{Exchange, Template};

use crate::Target;

const BODY: &str = r#"{"name":"Rex","tags":["a","b"],"n":{"m":[1,2.5,null,{"a":"é"}]}}"#;

pub const VTL: Target = Target {
    name: "vtl",
    pieces: &[
        "#set($",
        "#set($a=[1..5])",
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
        "$x",
        "$foreach",
        ".hasNext",
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
        " / ",
        " % ",
        " && ",
        "!",
        "'",
        "\"",
        "\\",
        "\n",
        "1",
        "-1",
        "9223372036854775807",
        "1.5",
        ".size()",
        ".get(",
        ".put(",
        ".add(",
        "[0]",
        ".split('",
        ".replaceAll('",
        "(a*)*$1",
        ".keySet()",
        "$input.json('",
        "$input.path('",
        "$input.params()",
        "$.name",
        "$..*",
        "')",
        "$util.escapeJavaScript(",
        "$util.parseJson(",
        "$util.base64Decode(",
        "$context.requestOverride.header.a",
        "$stageVariables.host",
        "#set($m={'k':[1,'a',{}]})",
    ],
    seeds: &[
        b"#set($a = $input.path('$'))#foreach($x in $a.tags)$x#if($foreach.hasNext),#end#end",
        b"{\"b\": $input.json('$.n'), \"c\": \"$util.escapeJavaScript($input.params('q'))\"}",
        b"plain",
    ],
    reads: |bytes| {
        let Ok(template) = Template::parse(&String::from_utf8_lossy(bytes)) else { return false };
        let context = serde_json::json!({"identity": {"sourceIp": "192.0.2.1", "list": [1, {"a": null}]}});
        let stage_variables = BTreeMap::from([("host".to_owned(), "one".to_owned())]);
        let _ = template.render(&Exchange {
            body: BODY,
            path: &[("id", "12")],
            querystring: &[("q", "x y")],
            header: &[("Accept", "é")],
            context: &context,
            stage_variables: &stage_variables,
        });
        true
    },
};

pub const JSONPATH: Target = Target {
    name: "jsonpath",
    pieces: &[
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
        "@.a",
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
        "\\",
        "[*]",
        "$..*",
    ],
    seeds: &[b"$.n.m[3].a", b"$..*", b"$.tags[?(@ == 'a')]", b"$['name']"],
    reads: |bytes| {
        let Ok(path) = JsonPath::parse(&String::from_utf8_lossy(bytes)) else { return false };
        let _ = path.read_json(BODY);
        let _ = path.read_text(BODY);
        true
    },
};

pub const PARAMETER: Target = Target {
    name: "parameter",
    pieces: &[
        "method.request.",
        "integration.request.",
        "integration.response.",
        "method.response.",
        "header.",
        "multivalueheader.",
        "querystring.",
        "multivaluequerystring.",
        "path.",
        "body",
        "body.",
        "$.name",
        "JSONPath",
        "['a']",
        "[0]",
        "stageVariables.",
        "context.",
        "identity.",
        "'",
        "a",
        "-",
        "_",
        ".",
        "host",
    ],
    seeds: &[
        b"method.request.querystring.q",
        b"method.request.body.tags[0]",
        b"integration.response.header.a",
        b"context.identity.sourceIp",
        b"'text'",
        b"stageVariables.host",
        b"integration.request.path.id",
    ],
    reads: |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let context = serde_json::json!({"identity": {"sourceIp": "192.0.2.1"}});
        let stage_variables = BTreeMap::from([("host".to_owned(), "one".to_owned())]);
        let mut is_read = false;
        for direction in [Direction::Request, Direction::Response] {
            is_read |= Place::parse(&text, direction).is_ok();
            let Ok(source) = Source::parse(&text, direction) else { continue };
            is_read = true;
            let _ = source.values(&Message {
                path: &[("id", "12")],
                querystring: &[("q", "x y")],
                header: &[("a", "é")],
                body: BODY,
                context: &context,
                stage_variables: &stage_variables,
            });
        }
        is_read
    },
};
