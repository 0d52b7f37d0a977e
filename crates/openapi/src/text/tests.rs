use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn yaml_and_json_are_the_same_tree() {
    let yaml =
        "a: 1\nb: [true, ~, 1.5, \"2\", 012, 2012-10-17]\n200:\n- x: |\n    two\n    lines\n  y: !!str 3\n";
    let json = json!({
        "a": 1,
        "b": [true, null, 1.5, "2", "012", "2012-10-17"],
        "200": [{"x": "two\nlines\n", "y": "3"}],
    });
    assert_eq!(parse(yaml.as_bytes()), Ok(json.clone()));
    assert_eq!(parse(json.to_string().as_bytes()), Ok(json.clone()));
    assert_eq!(parse(to_json(&json).as_bytes()), Ok(json.clone()));
    assert_eq!(parse(to_yaml(&json).as_bytes()), Ok(json));
}

#[test]
fn aliases_and_merges_are_taken() {
    let yaml = "base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\nsame: *b\n";
    let tree = parse(yaml.as_bytes()).expect("a tree");
    assert_eq!(tree["own"], json!({"x": 1, "y": 3}));
    assert_eq!(tree["same"], json!({"x": 1, "y": 2}));
}

#[test]
fn a_text_is_one_document_whose_keys_stand_once() {
    let twice = |key: &str| Err(Error::Twice(key.to_owned()));
    for (yaml, read) in [
        ("a: 1\nb: 2\na: 3\n", twice("a")),
        ("a: {200: x, \"200\": y}\n", twice("200")),
        ("x: &x {a: 1}\ny: {<<: *x, a: 2, a: 3}\n", twice("a")),
        ("a: 1\n---\nb: 2\n", Err(Error::Documents)),
        ("a: 1\n--- []\n", Err(Error::Documents)),
        ("---\na: 1\n---\n", Ok(json!({"a": 1}))),
        ("a: 1\n...\n# the end\n", Ok(json!({"a": 1}))),
        (
            "x: &x {a: 1}\ny: {a: 2, <<: *x}\nz: {<<: *x, <<: {a: 2}, a: 3}\n",
            Ok(json!({"x": {"a": 1}, "y": {"a": 2}, "z": {"a": 3}})),
        ),
    ] {
        assert_eq!(parse(yaml.as_bytes()), read, "{yaml}");
    }
    assert!(parse(b"{\"a\": 1} }").is_err(), "something behind it");
}

#[test]
fn a_bomb_is_no_document() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let one = format!("*a{}", level - 1);
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", vec![one; 10].join(", ")));
    }
    assert!(matches!(parse(laughs.as_bytes()), Err(Error::Expands(_))));
    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 100].join(", "));
    assert!(matches!(parse(long.as_bytes()), Err(Error::Expands(_))));
    assert!(parse(b"a: &a [*a]").is_err(), "an alias of itself");
}

#[test]
fn depth_and_length_are_bounded() {
    let lists = |depth: usize| format!("{{\"a\": {}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(parse(lists(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(parse(lists(DEPTH_MAX + 1).as_bytes()), Err(Error::TooDeep(DEPTH_MAX)));
    assert!(parse(lists(100_000).as_bytes()).is_err());
    let block = format!("{}a", "- ".repeat(100_000));
    assert!(parse(block.as_bytes()).is_err());
    let chained = format!("a: &a {}\nb: {}*a{}", lists(60), "[".repeat(60), "]".repeat(60));
    assert_eq!(parse(chained.as_bytes()), Err(Error::TooDeep(DEPTH_MAX)));
    let padded = |bytes: usize| format!("{{\"a\": \"{}\"}}", "x".repeat(bytes - 9));
    assert!(parse(padded(BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(parse(padded(BYTES_MAX + 1).as_bytes()), Err(Error::TooLong(BYTES_MAX)));
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(vec![
            "true", "~", "1", "-", "a: b", "# x", "", " a", "a\nb", "\u{85}", "0x1", "<<"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((prop_oneof![any::<String>(), Just("<<".to_owned())], inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(tree in tree()) {
        let tree = json!({"a": tree});
        prop_assert_eq!(parse(to_json(&tree).as_bytes()), Ok(tree.clone()));
        let yaml = to_yaml(&tree);
        prop_assert_eq!(parse(yaml.as_bytes()), Ok(tree), "{}", yaml);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), bytes in any::<Vec<u8>>(), yaml in "[-:&*!|>'\"{}\\[\\], a\n#%@?<~0]{0,80}") {
        let _ = (parse(text.as_bytes()), parse(&bytes), parse(yaml.as_bytes()));
    }
}
