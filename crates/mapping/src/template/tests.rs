use std::collections::BTreeMap;

use serde_json::json;

use super::{Exchange, Rendered, Template};
use crate::error::RenderError;

mod aws;

const BODY: &str = r#"{"name":"Ann","age":7,"tags":["a","b"],"nested":{"k":[{"c":5}]},"none":null}"#;

fn render_with(template: &str, body: &str) -> Result<Rendered, RenderError> {
    let context = json!({
        "httpMethod": "POST",
        "stage": "beta",
        "resourcePath": "/pets/{id}",
        "identity": {"sourceIp": "192.0.2.1", "user": ""},
        "authorizer": {"principalId": "ann"},
    });
    let stage_variables = BTreeMap::from([("host".to_owned(), "one".to_owned())]);
    let exchange = Exchange {
        body,
        path: &[("id", "12"), ("both", "from path")],
        querystring: &[("q", "x y"), ("both", "from query")],
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

#[test]
fn references_in_all_forms() {
    check("#set($a = 'x')$a ${a} $!a $!{a} ${a}b $a.b", "x x x x xb $a.b");
    check("$no ${no} [$!no] [$!{no}] $no.more() ${no.x}", "$no ${no} [] [] $no.more() ${no.x}");
}
