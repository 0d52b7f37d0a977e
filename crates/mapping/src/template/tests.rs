use std::collections::BTreeMap;

use serde_json::json;

use super::{Exchange, Rendered, Template};
use crate::error::{Problem, RenderError};

mod asked;
mod aws;
mod bounds;
mod hostile;

const BODY: &str = r#"{"name":"Ann","age":7,"tags":["a","b"],"nested":{"k":[{"c":5}]},"none":null}"#;

fn render_with(template: &str, body: &str) -> Result<Rendered, RenderError> {
    let context = json!({
        "httpMethod": "POST",
        "stage": "beta",
        "resourcePath": "/pets/{id}",
        "requestTimeEpoch": 1_500_000_000_000_i64,
        "identity": {"sourceIp": "192.0.2.1", "user": ""},
        "authorizer": {"principalId": "ann", "claims": {"cognito:username": "bob", "sub": "1-2"}},
    });
    let stage_variables =
        BTreeMap::from([("host".to_owned(), "one".to_owned()), ("other".to_owned(), "two".to_owned())]);
    let exchange = Exchange {
        body,
        path: &[("id", "12"), ("both", "from path")],
        querystring: &[("q", "x y"), ("both", "from query"), ("twice", "first"), ("twice", "last")],
        header: &[("Accept", "text/plain"), ("both", "from header")],
        context: &context,
        stage_variables: &stage_variables,
    };
    Template::parse(template).expect(template).render(&exchange)
}

fn check(template: &str, expected: &str) {
    let rendered = render_with(template, BODY).unwrap_or_else(|error| panic!("{template}: {error}"));
    assert_eq!(rendered.text, expected, "{template}");
}

fn problem(template: &str) -> Problem {
    Template::parse(template).expect_err(template).problem
}

#[test]
fn references_in_all_forms() {
    check("#set($a = 'x')$a ${a} $!a $!{a} ${a}b $a.b", "x x x x xb $a.b");
    check("$no ${no} [$!no] [$!{no}] $no.more() ${no.x}", "$no ${no} [] [] $no.more() ${no.x}");
}

#[test]
fn a_line_that_is_only_a_directive_leaves_no_line() {
    check(
        "{\n#set($x = 1)\n  \"a\": $x\n#if($x == 1)\n  yes\n#else\n  no\n#end\n}",
        "{\n  \"a\": 1\n  yes\n}",
    );
}

#[test]
fn problems_say_where_they_are() {
    let error = Template::parse("one\n  #if(true)\n#set($a = )").expect_err("no value");
    assert_eq!(error.to_string(), "line 3, column 11: expected a value");
}

#[test]
fn directives_that_read_other_templates_are_refused_by_name() {
    assert_eq!(problem("#include('a')"), Problem::Refused("include"));
    assert_eq!(problem("#parse('a')"), Problem::Refused("parse"));
    assert_eq!(problem("#evaluate('a')"), Problem::Refused("evaluate"));
}

#[test]
fn broken_templates_are_syntax_errors() {
    for template in [
        "#if(true)",
        "#end",
        "#else",
        "#if(true)a#else b#else c#end",
        "#foreach($x in [1])",
        "#foreach($x)#end",
        "#macro()#end",
        "#define(x)#end",
        "#set($a = 'x)",
        "#set($a == 1)",
        "#set($a = [1,)",
        "#set($a = {'x':1)",
        "#set($a = {'x'})",
        "#set($a = 1 -1)",
        "#if($a == null)#end",
        "${a b}",
        "$a[b]",
        "$a.b(",
        "$a.b(1 + 1)",
        "#[[ open",
        "at the end $",
    ] {
        assert!(Template::parse(template).is_err(), "{template}");
    }
}

#[test]
fn templates_are_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Template>();
}
