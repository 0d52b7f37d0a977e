use proptest::prelude::*;

use super::*;

/// Holds a pattern against a message.
fn check(pattern: &str, message: &str, taken: bool) {
    let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    assert_eq!(parsed.takes(message), taken, "{pattern} on {message}");
    assert!(!taken || parsed.may_take_in(message), "{pattern} on {message}");
}

fn refused(pattern: &str) -> PatternError {
    match Pattern::parse(pattern) {
        Ok(_) => panic!("{pattern} is not refused"),
        Err(error) => error,
    }
}

#[test]
fn terms_take_messages() {
    let message = "[ERROR] 2025 user_id=7 said \"no\" \\ twice";
    for (pattern, taken) in [
        ("", true),
        ("  ", true),
        ("\" \"", true),
        ("\"\"", true),
        ("ERROR", true),
        ("error", false),
        ("ERROR user_id", true),
        ("ERROR missing", false),
        ("\"user_id=7 said\"", true),
        ("\"said user_id\"", false),
        ("\"said \\\"no\\\"\"", true),
        ("\"\\\\ twice\"", true),
        ("?missing ?ERROR", true),
        ("?missing ?absent", false),
        ("-ERROR", false),
        ("-missing", true),
        ("ERROR -said", false),
        ("ERROR -\"said yes\"", true),
        // Question marks have no effect beside other terms.
        ("2025 ?missing", true),
        ("?missing -absent", true),
        ("?\"user_id=7\" ?x", true),
        ("%user_[a-z]+=7%", true),
        ("%^ERROR%", false),
        ("ERROR %said .{4} .% -%thrice$%", true),
        ("?%^x% ?%twice$%", true),
    ] {
        check(pattern, message, taken);
    }
}

/// The user guide's examples.
#[test]
fn json_strings_and_numbers_are_compared() {
    let message = r#"{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value",
        "another value"], "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null,
        "cluster.name": "c", "flag": true, "latency": 50, "number": [1e3, 0.5], "empty": "", "float": 12.0,
        "quoted": "say \"no\" \u00e9", "a-b_c": 1, "nested": {"deep": {"deeper": "x"}}}"#;
    for (pattern, taken) in [
        (r#"{ $.eventType = "UpdateTrail" }"#, true),
        ("{ $.sourceIPAddress != 123.123.* }", true),
        (r#"{ $.arrayKey[0] = "value" }"#, true),
        (r#"{ $.arrayKey[1] = "value" }"#, false),
        ("{ $.eventType = %Trail% }", true),
        ("{ $.eventType != %Trail% }", false),
        ("{ $.arrayKey[*] = %val.{2}% }", true),
        (r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", true),
        ("{ $.* = %222% }", false),
        ("{ $.objectList[*].id = 2 }", true),
        ("{ $.objectList[1].id = 2 && $.objectList[*].name = a }", true),
        ("{ $.['cluster.name'] = \"c\" }", true),
        ("{ $.[\"cluster.name\"] = \"d\" }", false),
        ("{ $['cluster.name'] = c }", true),
        ("{ $.SomeObject IS NULL }", true),
        ("{ $.flag IS NULL }", false),
        ("{ $.flag IS TRUE }", true),
        ("{ $.flag IS FALSE }", false),
        ("{ $.flag is true }", true),
        ("{ $.SomeOtherObject NOT EXISTS }", true),
        ("{ $.SomeObject NOT EXISTS }", false),
        ("{ $.nested.deep.other NOT EXISTS }", true),
        ("{ $.latency < 50 }", false),
        ("{ $.latency <= 50 }", true),
        ("{ $.latency >= +5e1 }", true),
        ("{ $.latency > 49.5 }", true),
        ("{ $.number[0] = 1e+3 }", true),
        ("{ $.number[0] != 1e-3 }", true),
        ("{ $.nested.deep.deeper = x && $.nested.deep = * }", false),
        ("{ $.nested.deep.deeper = x && $.a-b_c = 1 }", true),
        (r#"{ $.quoted = "say \"no\"*" }"#, true),
        (r#"{ $.quoted = "*é" }"#, true),
        ("{ $.empty = * }", true),
        ("{$.eventType=UpdateTrail}", true),
    ] {
        check(pattern, message, taken);
    }
}

/// What CloudWatch Logs was seen to answer for one message: `json_filter`'s tests on GitHub, which ask TestMetricFilter.
#[test]
fn quotes_make_a_text_of_a_number() {
    let message = r#"{"someString": "111.111.111.111", "emptyString": "", "someInt": 123, "someFloat": 12.34,
        "someFloat2": 12.0, "someObject": {}, "someArray": []}"#;
    for (pattern, taken) in [
        ("{ $.someInt = 123.0 }", true),
        ("{ $.someInt = \"123\" }", true),
        ("{ $.someInt != \"123.0\" }", true),
        ("{ $.someInt = 1* }", true),
        ("{ $.someInt = \"*23\" }", true),
        ("{ $.someInt != *32 }", true),
        ("{ $.someFloat2 = 12 }", true),
        ("{ $.someFloat2 != \"12\" }", true),
        ("{ $.someFloat = *.34 }", true),
        ("{ $.someFloat = 12.* }", true),
        ("{ $.someString = 111.111.111.111 }", true),
        ("{ $.someString != 111*111 }", true),
        ("{ $.someString = \"*.111.111.111\" }", true),
        ("{ $.someString != 111 }", true),
        ("{ $.someString = 123 }", false),
        ("{ $.emptyString = \"*\" }", true),
        ("{ $.someString > 123 }", false),
        ("{ $.someString <= 123 }", false),
        ("{ $.someObject != 123 }", false),
        ("{ $.someArray != \"someString\" }", false),
        ("{ $.someObject = \"123\" }", false),
        ("{ $.notExisted != \"UpdateTrail\" }", false),
    ] {
        check(pattern, message, taken);
    }
    for word in ["unquoted_string", "\"quoted_string\"", "\"123\"", "1*"] {
        for operator in [">", ">=", "<", "<="] {
            let error = refused(&format!("{{ $.someString {operator} {word} }}"));
            assert!(matches!(error, PatternError::Character(_)), "{operator} {word}");
        }
    }
    assert_eq!(
        refused("{ $.someInt >= \"someString\" }").to_string(),
        "Invalid character(s) in term '\"someString\"'"
    );
}

/// The user guide's compound examples.
#[test]
fn and_binds_more_tightly_than_or() {
    let message = r#"{"user": {"id": 1, "email": "John.Stiles@example.com"}, "users": [{"id": 2,
        "email": "John.Doe@example.com"}], "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6]]}"#;
    for (pattern, taken) in [
        ("{ ($.user.id = 1) && ($.users[0].email = \"John.Doe@example.com\") }", true),
        (
            "{ $.user.email = \"John.Stiles@example.com\" || $.coordinates[0][1] = \"nonmatch\" && $.actions[2] = \"nonmatch\" }",
            true,
        ),
        (
            "{ ($.user.email = \"John.Stiles@example.com\" || $.coordinates[0][1] = \"nonmatch\") && $.actions[2] = \"nonmatch\" }",
            false,
        ),
        ("{ ($.user.id = 2 && $.users[0].email = \"nonmatch\") || $.actions[2] = \"GET\" }", false),
        ("{ $.coordinates[1][2] = 6 }", true),
        ("{(($.user.id=1)&&($.actions[0]=GET))||$.x=1}", true),
    ] {
        check(pattern, message, taken);
    }
}

#[test]
fn only_a_json_object_is_held_against_a_json_pattern() {
    for message in ["", "text", "[1]", "7", "{\"a\": 1} x", "{\"a\": 1", "x {\"a\": 1}", "{\"a\": \"\\x\"}"] {
        check("{ $.b NOT EXISTS }", message, false);
    }
    check("{ $.b NOT EXISTS }", " {\"a\": 1}\n", true);
    // The last of two with the same key counts; a key may be written in another way.
    check("{ $.a = 2 }", "{\"a\": 1, \"a\": 2}", true);
    check("{ $.a = 1 }", "{\"a\": 1, \"a\": 2}", false);
    check("{ $.name = \"x y\" }", "{\"n\\u0061me\": \"x\\u0020y\"}", true);
}

#[test]
fn fields_are_told_apart_by_blanks() {
    let line = r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for (pattern, taken) in [
        ("[ip, user, username, timestamp, request, status_code, bytes]", true),
        (
            r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
            true,
        ),
        ("[..., request =*.html*, status_code = 4*, bytes]", true),
        ("[..., request=*.html*, status_code=4*,]", true),
        ("[ip, user, ...]", true),
        ("[ip, user, ..., status_code = 404 || status_code = 410, bytes]", true),
        ("[ip, user, ..., status_code = 4* && status_code != 404, bytes]", false),
        ("[..., bytes > 1000 && bytes < 2e3]", true),
        ("[..., bytes > 1534]", false),
        ("[..., (bytes >= 1534)]", true),
        ("[ip, user, ..., status=\"404\", bytes]", true),
        ("[ip, user = prod, ...]", false),
        ("[a, b, c, d, e, f, g, h]", false),
        ("[a, b, c, d, ..., e, f, g, h]", false),
        ("[...]", true),
        ("[]", true),
    ] {
        check(pattern, line, taken);
    }
    let lines = [
        "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200",
        "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310",
        "WARNING 09/25/2014 12:00:02 Invalid user request",
        "ERROR 09/25/2014 12:00:02 Failed to process request",
    ];
    for (pattern, taken) in [
        ("[w1=ERROR, w2]", [false, false, false, true]),
        ("[w1=ERROR || w1=WARNING, w2]", [false, false, true, true]),
        ("[w1!=ERROR && w1!=WARNING, w2]", [true, true, false, false]),
        (
            "[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]",
            [true, false, false, false],
        ),
        (
            "[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]",
            [false, true, false, false],
        ),
    ] {
        lines.iter().zip(taken).for_each(|(line, taken)| check(pattern, line, taken));
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    for (pattern, error) in [
        ("\"open", PatternError::Invalid),
        ("a-b", PatternError::Character("a-b".into())),
        ("-", PatternError::Character(String::new())),
        ("%open", PatternError::Invalid),
        ("%something!%", PatternError::Character("%something!%".into())),
        ("%a% %b% %c%", PatternError::TooManyRegexes { limit: 2 }),
        ("{ $.a = %a% && $.b = %b% && $.c = %c% }", PatternError::TooManyRegexes { limit: 2 }),
        ("[a=%a%, b=%b%, c=%c%]", PatternError::TooManyRegexes { limit: 2 }),
        ("{ $.*[*] = 1 }", PatternError::TooManyWildcards { limit: 1 }),
        (
            "{ $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 || $.d[*] = 1 }",
            PatternError::TooManyWildcards { limit: 3 },
        ),
        (&"x".repeat(1025), PatternError::TooLong),
        ("{ $.a = 'Root' }", PatternError::Character("'Root'".into())),
    ] {
        assert_eq!(refused(pattern), error, "{pattern}");
    }
    for pattern in [
        "{",
        "{}",
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ $a = 1 }",
        "{ $ = 1 }",
        "{ $[0] = 1 }",
        "{ $.a[x] = 1 }",
        "{ $.a[99999999999999999999] = 1 }",
        "{ $.a = 1 } x",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a IS NOT NULL }",
        "{ $.a EXISTS }",
        "{ $.a NOT }",
        "{ $.a > %1% }",
        "{ $.a = \"open }",
        "[a",
        "[a, ..., b, ...]",
        "[a b]",
        "[a] x",
        "[= 1]",
        // A condition of another field's.
        "[status = 4* && bytes > 1000, bytes]",
    ] {
        assert_eq!(refused(pattern), PatternError::Invalid, "{pattern}");
    }
    let nested = |depth: usize| format!("{{ {}$.a = 1{} }}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(64), "{\"a\": 1}", true);
    assert_eq!(refused(&nested(65)), PatternError::Invalid);
    check(&"x".repeat(1024), "y", false);
}

#[test]
fn values_come_out_of_messages() {
    let extract = |pattern: &str, message: &str| -> Vec<String> {
        let found = Pattern::parse(pattern).expect(pattern).extract(message);
        found.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    };
    let line = "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";
    // The user guide's example.
    assert_eq!(
        extract("[..., request=*.html*, status_code=4*,]", line),
        [
            "$1=127.0.0.1",
            "$2=-",
            "$3=frank",
            "$4=10/Oct/2000:13:25:15 -0700",
            "$request=GET /index.html HTTP/1.0",
            "$status_code=404",
            "$7=1534",
        ]
    );
    let json = r#"{"latency": 1.50, "name": "a\nb", "flag": true, "list": [3, 4]}"#;
    assert_eq!(
        extract("{ $.latency = * && ($.name = a* || $.flag IS TRUE) && $.list[*] = 4 }", json),
        ["$.latency=1.50", "$.name=a\nb", "$.list[*]=3"]
    );
    assert_eq!(extract("ERROR", "ERROR"), [""; 0]);

    let value = |pattern: &str, reference: &str, message: &str| {
        let pattern = Pattern::parse(pattern).expect(pattern);
        let reference = Reference::parse(reference, &pattern)?;
        Some((reference.text(&pattern, message), reference.number(&pattern, message)))
    };
    assert_eq!(value("{ $.a = * }", "$.latency", json), Some((Some("1.50".into()), Some(1.5))));
    assert_eq!(value("{ $.a = * }", "$.name", json), Some((Some("a\nb".into()), None)));
    assert_eq!(value("{ $.a = * }", "$.flag", json), Some((None, None)));
    assert_eq!(value("{ $.a = * }", "$latency", json), None);
    assert_eq!(value("[..., bytes]", "$bytes", line), Some((Some("1534".into()), Some(1534.0))));
    assert_eq!(value("[..., bytes]", "$3", line), Some((Some("frank".into()), None)));
    assert_eq!(value("[..., bytes]", "$other", line), None);
    assert_eq!(value("[..., bytes]", "$.bytes", line), None);
    assert_eq!(value("ERROR", "$.a", json), None);
}

#[test]
fn needles_are_text_that_taken_messages_contain() {
    let needles = |pattern: &str| {
        let pattern = Pattern::parse(pattern).expect(pattern);
        let texts = |needles: Vec<&[u8]>| {
            needles.into_iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect::<Vec<_>>()
        };
        (texts(pattern.needles().all().collect()), texts(pattern.needles().any().collect()))
    };
    let both = |all: &[&str], any: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        (texts(all), texts(any))
    };
    assert_eq!(needles("a \"b c\" -d ?e %f%"), both(&["a", "b c"], &[]));
    assert_eq!(needles("?a ?b"), both(&[], &["a", "b"]));
    assert_eq!(needles("?a ?%b%"), both(&[], &[]));
    assert_eq!(needles("[a = x*, b != y, c = z || c = w, d = 5]"), both(&["x"], &[]));
    assert_eq!(needles("{ $.a = \"x\" }"), both(&[], &[]), "text may be written in another way");
    let may = |pattern: &str, text: &str| Pattern::parse(pattern).expect(pattern).may_take_in(text);
    assert!(!may("{ $.code = \"x*\" }", "{\"code\": 1}"));
    assert!(may("{ $.code = \"x*\" }", "{\"\\u0063ode\": \"x\"}"));
    assert!(may("{ $.code = \"x/y\" }", "{\"code\": \"x\\/y\"}"));
    assert!(may("{ $.code NOT EXISTS || $.a = 1 }", "{}"));
}

/// Something like a pattern, more often than any text would be.
fn pattern() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "$",
        ".",
        "a",
        "b",
        "c",
        "[0]",
        "[*]",
        "*",
        "=",
        "!=",
        ">",
        "<=",
        "1",
        "2e3",
        "\"",
        "'",
        "\\",
        "%",
        "&&",
        "||",
        "...",
        ",",
        " ",
        "IS",
        "NULL",
        "TRUE",
        "NOT",
        "EXISTS",
        "?",
        "-",
        "é",
        "{ $.a = ",
        "[a, b=",
        "%a|b%",
        "{ $.a.b NOT EXISTS",
    ]);
    prop_oneof![".{0,40}", prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())]
}

fn message() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"a\"",
        "\"b\"",
        ":",
        ",",
        "1",
        "2000",
        "null",
        "true",
        " ",
        "a",
        "b",
        "\"",
        "\\",
        "\\u0061",
        "{\"a\": {\"b\": 1}}",
        "{\"a\": 1}",
    ]);
    prop_oneof![".{0,40}", prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_text_is_no_panic_and_no_block_is_passed_over(text in pattern(), message in message()) {
        if let Ok(pattern) = Pattern::parse(&text) {
            let taken = pattern.takes(&message);
            prop_assert!(!taken || pattern.may_take_in(&message));
            let around = format!("before {message} after");
            prop_assert!(!taken || pattern.may_take_in(&around));
            let extracted = pattern.extract(&message);
            prop_assert!(extracted.iter().all(|(name, _)| name.starts_with('$')));
            for reference in ["$.a", "$.a.b", "$a", "$1", &text] {
                if let Some(reference) = Reference::parse(reference, &pattern) {
                    let _ = reference.number(&pattern, &message);
                }
            }
        }
    }

    #[test]
    fn a_property_is_found_wherever_it_lies(before in "[a-z]{1,8}", depth in 1usize..6, value in any::<i32>()) {
        let keys: Vec<String> = (0..depth).map(|place| format!("{before}{place}")).collect();
        let message = keys.iter().rev().fold(value.to_string(), |inner, key| {
            format!(r#"{{"x": [1, {{"{key}": 0}}], "{key}": {inner}, "y": null}}"#)
        });
        let selector = format!("$.{}", keys.join("."));
        let one = Pattern::parse(&format!("{{ {selector} = {value} }}")).expect("a pattern");
        prop_assert!(one.takes(&message));
        let other = Pattern::parse(&format!("{{ {selector} != {value} }}")).expect("a pattern");
        prop_assert!(!other.takes(&message));
    }
}
