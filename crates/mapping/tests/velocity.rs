//! The same text as Velocity 1.7, for templates that it rendered itself.
//!
//! `velocity-1.7.json` has pairs of a template and what Velocity 1.7 (Debian's package, json-smart 2.2 under it) made of it; null where
//! it failed. The first are written by hand around its grammar, the rest drawn at random from pieces of VTL. Where pitbird
//! differs by choice, `differences` says how.

use std::collections::BTreeMap;

use pitbird_mapping::{Exchange, Template};

const BODY: &str = r#"{"name":"Ann","age":7,"pi":3.5,"tags":["a","b/c","€é\u007f"],"nested":{"k":[{"c":5,"d":null}]},"none":null,"t":true,"e":"","neg":-3}"#;

fn render(template: &str) -> Option<String> {
    let context = serde_json::json!({});
    let stage_variables = BTreeMap::new();
    let exchange = Exchange {
        body: BODY,
        path: &[("id", "12"), ("both", "from path")],
        querystring: &[("q", "x y"), ("both", "from query")],
        header: &[("Accept", "text/plain"), ("both", "from header")],
        context: &context,
        stage_variables: &stage_variables,
    };
    Template::parse(template).ok()?.render(&exchange).ok().map(|rendered| rendered.text)
}

#[test]
fn templates_render_as_in_velocity() {
    let recorded: Vec<(String, Option<String>)> =
        serde_json::from_str(include_str!("velocity-1.7.json")).expect("pairs of texts");
    assert!(recorded.len() > 600);
    let wrong: Vec<_> = recorded
        .iter()
        .map(|(template, expected)| (template, expected, render(template)))
        .filter(|(_, expected, rendered)| *expected != rendered)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each with what Velocity renders and what comes here.
#[test]
fn differences() {
    for (template, velocity, here) in [
        // Java's classes are nobody's business.
        ("#set($a = 'x')$a.class", "class java.lang.String", Some("$a.class")),
        // Whole numbers have 64 bits; beyond, Velocity goes on with arbitrary ones.
        ("#set($x = 9223372036854775807 + 1)$x", "9223372036854775808", None),
        ("#set($x = 9223372036854775808)$x", "9223372036854775808", None),
        // An object from a text shows as one from the body does.
        ("$util.parseJson('{\"a\":[1]}')", "{\"a\":[1]}", Some("{a=[1]}")),
        // Velocity sees no directive after a lone dollar, and fails at its end.
        ("$#foreach($x in [1])a#end", "(fails)", Some("$a")),
        // It still takes an opening bracket for an index, if only a directive stands between it and a reference.
        ("$a.b#set($x = 1)\n[x", "(fails)", Some("$a.b[x")),
        // A dollar before a literal block eats into the block.
        ("$#[[ab]]#", "[ab", Some("$ab")),
    ] {
        assert_eq!(render(template).as_deref(), here, "{template}, in Velocity {velocity}");
    }
}
