//! A template, a NUL, and a body: whatever they are, they render or fail.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use pitbird_mapping::{Exchange, Template};

fuzz_target!(|text: &str| {
    let (template, body) = text.split_once('\0').unwrap_or((text, r#"{"a":[1,{"b":"c"}]}"#));
    let Ok(template) = Template::parse(template) else { return };
    let context = serde_json::json!({"identity": {"sourceIp": "192.0.2.1", "list": [1, {"a": null}]}});
    let stage_variables = BTreeMap::from([("host".to_owned(), "one".to_owned())]);
    let _ = template.render(&Exchange {
        body,
        path: &[("id", "12")],
        querystring: &[("q", "x y")],
        header: &[("Accept", "text/plain")],
        context: &context,
        stage_variables: &stage_variables,
    });
});
