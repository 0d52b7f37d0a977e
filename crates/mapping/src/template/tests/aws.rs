//! What AWS adds to Velocity.

use super::{check, render_with};

#[test]
fn the_body_as_text_value_and_json() {
    check("$input.json('$.name') $input.path('$.name') $input.path('$.age')", "\"Ann\" Ann 7");
    check("$input.json('$.nested')", r#"{"k":[{"c":5}]}"#);
    check("$input.path('$.nested')", r#"{k=[{"c":5}]}"#);
    check("$input.path('$.tags')", r#"["a","b"]"#);
    assert_eq!(render_with("$input.body $input.json('$')", "").map(|made| made.text), Ok("{} {}".to_owned()));
}
