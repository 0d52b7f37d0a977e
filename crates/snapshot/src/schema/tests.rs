use super::*;

fn faults(schema: &str, value: &str) -> Vec<String> {
    Schema::compile(schema, &Models::default()).unwrap().faults(&serde_json::from_str(value).unwrap())
}

#[test]
fn each_keyword_of_draft_4_is_heeded() {
    for (schema, good, bad) in [
        (r#"{"type":"integer"}"#, "1", "1.5"),
        (r#"{"type":["string","null"]}"#, "null", "{}"),
        (r#"{"type":"number"}"#, "1", "\"1\""),
        (r#"{"enum":["a",1]}"#, "1", "\"b\""),
        (r#"{"minimum":1}"#, "1", "0"),
        (r#"{"minimum":1,"exclusiveMinimum":true}"#, "2", "1"),
        (r#"{"maximum":1}"#, "1", "1.01"),
        (r#"{"maximum":1,"exclusiveMaximum":true}"#, "0", "1"),
        (r#"{"multipleOf":0.1}"#, "0.3", "0.35"),
        (r#"{"minLength":2}"#, "\"éé\"", "\"é\""),
        (r#"{"maxLength":1}"#, "\"é\"", "\"éé\""),
        (r#"{"pattern":"^a\\d+$"}"#, "\"a12\"", "\"xa12\""),
        (r#"{"format":"email"}"#, "\"a@b.c\"", "\"a b\""),
        (r#"{"format":"ipv4"}"#, "\"10.0.0.1\"", "\"10.0.0\""),
        (r#"{"format":"ipv6"}"#, "\"::1\"", "\"1\""),
        (r#"{"format":"date-time"}"#, "\"2015-01-01T00:00:00.5+01:00\"", "\"2015-01-01\""),
        (r#"{"items":{"type":"integer"}}"#, "[1,2]", "[1,\"2\"]"),
        (r#"{"items":[{"type":"integer"}],"additionalItems":false}"#, "[1]", "[1,2]"),
        (r#"{"items":[{}],"additionalItems":{"type":"null"}}"#, "[1,null]", "[1,2]"),
        (r#"{"minItems":1,"maxItems":2}"#, "[1]", "[1,2,3]"),
        (r#"{"uniqueItems":true}"#, "[1,2,[1]]", "[{\"a\":1},{\"a\":1}]"),
        (r#"{"required":["a"]}"#, r#"{"a":null}"#, "{}"),
        (r#"{"properties":{"a/b~":{"type":"null"}}}"#, r#"{"a/b~":null}"#, r#"{"a/b~":1}"#),
        (
            r#"{"patternProperties":{"^x":{"type":"null"}},"additionalProperties":false}"#,
            r#"{"xa":null}"#,
            r#"{"a":1}"#,
        ),
        (r#"{"additionalProperties":{"type":"null"}}"#, r#"{"a":null}"#, r#"{"a":1}"#),
        (r#"{"minProperties":1,"maxProperties":1}"#, r#"{"a":1}"#, "{}"),
        (r#"{"dependencies":{"a":["b"]}}"#, r#"{"a":1,"b":1}"#, r#"{"a":1}"#),
        (r#"{"dependencies":{"a":{"required":["c"]}}}"#, r#"{"a":1,"c":1}"#, r#"{"a":1}"#),
        (r#"{"allOf":[{"type":"integer"},{"minimum":3}]}"#, "3", "2"),
        (r#"{"anyOf":[{"type":"string"},{"minimum":3}]}"#, "\"a\"", "2"),
        (r#"{"oneOf":[{"minimum":1},{"minimum":3}]}"#, "2", "4"),
        (r#"{"not":{"type":"null"}}"#, "1", "null"),
        (r##"{"definitions":{"n":{"type":"null"}},"items":{"$ref":"#/definitions/n"}}"##, "[null]", "[1]"),
        (
            r##"{"properties":{"child":{"$ref":"#"}},"additionalProperties":false}"##,
            r#"{"child":{"child":{}}}"#,
            r#"{"child":{"kid":{}}}"#,
        ),
    ] {
        assert_eq!(faults(schema, good), [""; 0], "{schema} {good}");
        assert_eq!(faults(schema, bad).len(), 1, "{schema} {bad}");
    }
}

#[test]
fn faults_are_told_in_the_services_words() {
    let schema = r#"{"type":"object","required":["price","type"],"properties":{
        "price":{"type":"number","maximum":500},"type":{"enum":["dog","cat"]},"name":{"type":"string"}}}"#;
    for (value, words) in [
        ("{}", vec![r#"object has missing required properties (["price","type"])"#]),
        (
            r#"{"price":600,"type":"elephant","name":1}"#,
            vec![
                "numeric instance is greater than the required maximum (maximum: 500, found: 600)",
                r#"instance value ("elephant") not found in enum (possible values: ["dog","cat"])"#,
                r#"instance type (integer) does not match any allowed primitive type (allowed: ["string"])"#,
            ],
        ),
    ] {
        assert_eq!(faults(schema, value), words);
    }
}

#[test]
fn models_refer_to_each_other() {
    let url = "https://apigateway.amazonaws.com/restapis/abc/models/Pet";
    let model = |name: &str, schema: &str| records::Model {
        scope: Default::default(),
        api_id: "abc".into(),
        id: name.into(),
        name: name.into(),
        description: None,
        schema: Some(schema.into()),
        content_type: "application/json".into(),
    };
    let models =
        Models::new(&[model("Pet", r##"{"$ref":"#/definitions/p","definitions":{"p":{"type":"string"}}}"##)]);
    let schema = Schema::compile(&format!(r#"{{"items":{{"$ref":"{url}"}}}}"#), &models).unwrap();
    assert!(schema.faults(&serde_json::json!(["a"])).is_empty());
    assert_eq!(schema.faults(&serde_json::json!([1])).len(), 1);
    let to = |url: &str| format!(r#"{{"$ref":"{url}"}}"#);
    let unknown = BadSchema::Reference(format!("{url}s"));
    assert_eq!(Schema::compile(&to(&format!("{url}s")), &models).unwrap_err(), unknown);
    assert_eq!(Schema::check(&to(&format!("{url}s")), &models), Err(unknown));
    let part = Schema::compile(&to(&format!("{url}#/definitions/p")), &models).unwrap();
    assert_eq!(part.faults(&serde_json::json!([])).len(), 1);
    let own = Models::of_api("abc", &[model("Pet", "{}")]);
    assert!(Schema::check(&to(url), &own).is_ok() && Schema::compile(&to(url), &own).is_ok());
    let others = url.replace("abc", "def");
    assert_eq!(Schema::compile(&to(&others), &own).unwrap_err(), BadSchema::Reference(others.clone()));
    assert!(Schema::compile(&to(&others), &models).is_ok(), "it was put before APIs were told apart");
    let broken = Models::new(&[model("Pet", r#"{"type":"text"}"#)]);
    assert!(Schema::compile(&to(url), &broken).is_err() && Schema::check(&to(url), &broken).is_ok());
}

#[test]
fn what_is_no_schema_is_said_so() {
    for (text, fault) in [
        ("{", BadSchema::Json),
        ("[]", BadSchema::Keyword("schema")),
        (r#"{"type":"text"}"#, BadSchema::Keyword("type")),
        (r#"{"required":"a"}"#, BadSchema::Keyword("required")),
        (r#"{"minLength":-1}"#, BadSchema::Keyword("minLength")),
        (r#"{"pattern":"("}"#, BadSchema::Pattern("(".into())),
        (r#"{"pattern":"a(?=b)"}"#, BadSchema::LookAround("a(?=b)".into())),
        (r#"{"patternProperties":{"(?<!a)b":{}}}"#, BadSchema::LookAround("(?<!a)b".into())),
        (r#"{"pattern":"(a)\\1"}"#, BadSchema::LookAround("(a)\\1".into())),
        (r#"{"pattern":"\\p{L}"}"#, BadSchema::Dialect("\\p{L}".into())),
        (r##"{"$ref":"#/definitions/x"}"##, BadSchema::Reference("#/definitions/x".into())),
    ] {
        assert_eq!(Schema::compile(text, &Models::default()).unwrap_err(), fault, "{text}");
    }
    let many: Vec<String> = (0..NODES_MAX).map(|at| format!("\"p{at}\":{{}}")).collect();
    let many = format!(r#"{{"properties":{{{}}}}}"#, many.join(","));
    assert_eq!(Schema::compile(&many, &Models::default()).unwrap_err(), BadSchema::TooLarge);
}

#[test]
fn circles_and_avalanches_end() {
    assert_eq!(faults(r##"{"$ref":"#"}"##, "1"), ["the schema leads in circles"]);
    let twice =
        r##"{"anyOf":[{"allOf":[{"$ref":"#"},{"$ref":"#"}]},{"allOf":[{"$ref":"#"},{"$ref":"#"}]}]}"##;
    assert!(faults(twice, "1").contains(&"the schema leads in circles".to_owned()));
}
