use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::RenderError;

use super::{Direction, EXPRESSION_BYTES_MAX, Message, Source, Target};

fn values(expression: &str, direction: Direction) -> Vec<String> {
    let context =
        json!({"identity": {"sourceIp": "192.0.2.1", "user": null}, "requestTimeEpoch": 15, "stage": "beta"});
    let stage_variables = BTreeMap::from([("host".to_owned(), "one".to_owned())]);
    let message = Message {
        path: &[("id", "12")],
        querystring: &[("q", "1"), ("q", "2"), ("ids[]", "7")],
        header: &[("X-One", "a"), ("X-One", "b"), ("Accept", "text/plain")],
        body: r#"{"user":{"name":"Ann","age":7},"tags":["a","b"],"none":null}"#,
        context: &context,
        stage_variables: &stage_variables,
    };
    Source::parse(expression, direction).expect(expression).values(&message).expect(expression)
}

fn check(expression: &str, expected: &[&str]) {
    assert_eq!(values(expression, Direction::Request), expected, "{expression}");
}

#[test]
fn sources_of_a_request() {
    check("'text with spaces, and more'", &["text with spaces, and more"]);
    check("''", &[""]);
    check("method.request.path.id", &["12"]);
    check("method.request.querystring.q", &["2"]);
    check("method.request.multivaluequerystring.q", &["1", "2"]);
    check("method.request.querystring.ids[]", &["7"]);
    check("method.request.header.X-One", &["b"]);
    check("method.request.multivalueheader.X-One", &["a", "b"]);
    check("method.request.header.accept", &[]);
    check("method.request.header.Nothing", &[]);
    check("method.request.querystring.Q", &[]);
    check("method.request.body.user.name", &["Ann"]);
    check("method.request.body.$.user.name", &["Ann"]);
    check("method.request.body.user", &[r#"{"name":"Ann","age":7}"#]);
    check("method.request.body.tags[1]", &["b"]);
    check("method.request.body.tags[*]", &[r#"["a","b"]"#]);
    check("method.request.body.none", &[]);
    check("method.request.body.zz", &[]);
    check("method.request.body", &[r#"{"user":{"name":"Ann","age":7},"tags":["a","b"],"none":null}"#]);
    check("stageVariables.host", &["one"]);
    check("stageVariables.zz", &[]);
    check("context.identity.sourceIp", &["192.0.2.1"]);
    check("context.requestTimeEpoch", &["15"]);
    check("context.identity.user", &[]);
    check("context.zz.more", &[]);
}

/// As tests of LocalStack's recorded from AWS.
#[test]
fn bodies() {
    let read = |expression: &str, body: &str| {
        let stage_variables = BTreeMap::new();
        let message = Message {
            path: &Value::Null,
            querystring: &Value::Null,
            header: &Value::Null,
            body,
            context: &Value::Null,
            stage_variables: &stage_variables,
        };
        Source::parse(expression, Direction::Request).expect(expression).values(&message)
    };
    let one = |text: &str| Ok(vec![text.to_owned()]);
    assert_eq!(read("method.request.body", ""), one("{}"));
    assert_eq!(read("method.request.body", "<This is a body value>"), one("<This is a body value>"));
    assert_eq!(read("method.request.body.a", "<This is a body value>"), Ok(vec![]));
    assert_eq!(read("method.request.body.a", "a=1"), Ok(vec![]));
    assert_eq!(read("method.request.body", " {\"a\": 1} "), one("{\"a\": 1}"));
    assert_eq!(read("method.request.body.a", "\n{wrongjson"), Err(RenderError::BodyNotJson));
    assert_eq!(read("method.request.body", "\n{wrongjson"), Err(RenderError::BodyNotJson));
    assert_eq!(read("method.request.body.pets[0].name", "{\"pets\":[{\"name\":\"x\"}]}"), one("x"));
    assert_eq!(read("method.request.body.pets[0].name", "{\"pets\":{\"name\":\"x\"}}"), Ok(vec![]));
}

#[test]
fn sources_of_a_response() {
    for (expression, expected) in [
        ("integration.response.header.X-One", &["b"][..]),
        ("integration.response.multivalueheader.x-ONE", &["a", "b"]),
        ("integration.response.header.accept", &["text/plain"]),
        ("integration.response.body.user.age", &["7"]),
        ("'*'", &["*"]),
        ("context.stage", &["beta"]),
        ("stageVariables.host", &["one"]),
    ] {
        assert_eq!(values(expression, Direction::Response), expected, "{expression}");
    }
}

#[test]
fn what_is_no_source_is_refused() {
    let long = format!("'{}'", "x".repeat(EXPRESSION_BYTES_MAX));
    for expression in [
        "",
        "text",
        "'",
        "'open",
        "method.request",
        "method.request.",
        "method.request.header",
        "method.request.header.",
        "method.request.header.a b",
        "method.request.cookie.a",
        "method.request.body.",
        "method.request.body.a[",
        "integration.response.header.X",
        "stageVariables.",
        "context.",
        "context.a..b",
        "${stageVariables.a}",
        &long,
    ] {
        let error = Source::parse(expression, Direction::Request).expect_err(expression);
        assert!(expression.starts_with(&*error.expression), "{expression}");
    }
    for expression in
        ["method.request.header.X", "integration.response.path.x", "integration.response.querystring.x"]
    {
        assert!(Source::parse(expression, Direction::Response).is_err(), "{expression}");
    }
}

#[test]
fn targets() {
    let parse = |text: &str, direction| Target::parse(text, direction).ok();
    for (text, expected) in [
        ("integration.request.header.X-Amz", Some(Target::Header("X-Amz".into()))),
        ("integration.request.querystring.q", Some(Target::Querystring("q".into()))),
        ("integration.request.path.id", Some(Target::Path("id".into()))),
        ("integration.request.body.x", None),
        ("integration.request.header.", None),
        ("method.response.header.X", None),
        ("", None),
    ] {
        assert_eq!(parse(text, Direction::Request), expected, "{text}");
    }
    assert_eq!(
        parse("method.response.header.Access-Control-Allow-Origin", Direction::Response),
        Some(Target::Header("Access-Control-Allow-Origin".into()))
    );
    assert_eq!(parse("integration.request.header.X", Direction::Response), None);
    assert_eq!(parse("method.response.querystring.X", Direction::Response), None);
}
