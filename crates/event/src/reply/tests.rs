use super::*;
use proptest::prelude::*;

const NO_TYPES: MediaTypes<'static> = MediaTypes(&[]);

/// The answer in one line, or why there is none.
fn answer(payload: &str) -> String {
    match reply(&Bytes::from(payload.to_owned()), None, NO_TYPES) {
        Ok(Answer { status, headers, body }) => {
            let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{status} [{}] {}", headers.join(", "), String::from_utf8_lossy(&body))
        }
        Err(error) => {
            let error = error.to_string();
            error.split(" at line ").next().unwrap_or_default().to_owned()
        }
    }
}

#[test]
fn every_member_may_be_absent_or_null() {
    let plain = "200 [Content-Type: application/json] ";
    for payload in [
        "{}",
        r#" {"statusCode":200} "#,
        r#"{"statusCode":null,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null}"#,
        r#"{"headers":{},"multiValueHeaders":{},"body":"","isBase64Encoded":false}"#,
        r#"{"multiValueHeaders":{"a":[]}}"#,
    ] {
        assert_eq!(answer(payload), plain, "{payload}");
    }
    assert_eq!(answer(r#"{"statusCode":"201","body":"x"}"#), format!("{}x", plain.replace("200", "201")));
    assert_eq!(answer(r#"{"statusCode":204.0}"#), plain.replace("200", "204"));
    assert_eq!(answer(r#"{"body":"a","body":"a\u00e9\n"}"#), format!("{plain}aé\n"));
}

#[test]
fn headers_are_merged_multi_valued_first() {
    for (payload, headers) in [
        (r#""headers":{"test-header":"value","header-bool":true}"#, "test-header: value, header-bool: true"),
        (r#""multiValueHeaders":{"a":["1","2"],"b":[false]}"#, "a: 1, a: 2, b: false"),
        (r#""headers":{"a":"solo"},"multiValueHeaders":{"a":["multi"]}"#, "a: multi, a: solo"),
        (r#""headers":{"a-b":"solo"},"multiValueHeaders":{"A-b":["multi"]}"#, "A-b: multi, A-b: solo"),
        (r#""headers":{"a":"2","c":"3"},"multiValueHeaders":{"A":["1","2"]}"#, "A: 1, A: 2, c: 3"),
        (r#""headers":{"Set-Cookie":"a","set-cookie":"b"}"#, "Set-Cookie: a, set-cookie: b"),
    ] {
        assert_eq!(
            answer(&format!("{{{payload}}}")),
            format!("200 [{headers}, Content-Type: application/json] ")
        );
    }
    assert_eq!(answer(r#"{"headers":{"content-type":"text/plain"}}"#), "200 [content-type: text/plain] ");
    assert_eq!(
        answer(r#"{"multiValueHeaders":{"Content-type":["a","b"]}}"#),
        "200 [Content-type: a, Content-type: b] "
    );
}

#[test]
fn headers_of_the_connection_are_remapped_or_dropped() {
    let payload = r#"{"headers":{"content-length":"9","DATE":"d","Server":"s","Connection":"close",
        "Transfer-Encoding":"chunked","Content-Type":"t","Via":"v"},"multiValueHeaders":{"server":["m"]}}"#;
    let headers = "x-amzn-Remapped-Server: m, x-amzn-Remapped-Content-Length: 9, x-amzn-Remapped-Date: d, \
        x-amzn-Remapped-Server: s, x-amzn-Remapped-Connection: close, Content-Type: t, Via: v";
    assert_eq!(answer(payload), format!("200 [{headers}] "));
}

#[test]
fn what_is_no_answer_is_malformed() {
    let members = "an object with statusCode, headers, multiValueHeaders, body and isBase64Encoded only";
    let shape = |text: &str| format!("no answer of a proxy integration: {text}");
    for (payload, error) in [
        ("", shape("EOF while parsing a value")),
        ("null", shape(&format!("invalid type: null, expected {members}"))),
        (r#""a string""#, shape(&format!("invalid type: string \"a string\", expected {members}"))),
        ("[200]", shape(&format!("invalid type: sequence, expected {members}"))),
        (r#"{"wrongValue":1}"#, shape("unknown member \"wrongValue\"")),
        (r#"{"errorMessage":"x","errorType":"y"}"#, shape("unknown member \"errorMessage\"")),
        ("{} {}", shape("trailing characters")),
        (r#"{"statusCode":99}"#, "status code 99 is not from 200 to 599".into()),
        (r#"{"statusCode":101}"#, "status code 101 is not from 200 to 599".into()),
        (r#"{"statusCode":-200}"#, "status code -200 is not from 200 to 599".into()),
        (
            r#"{"statusCode":18446744073709551615}"#,
            format!("status code {} is not from 200 to 599", i64::MAX),
        ),
        (r#"{"headers":{"a b":"x"}}"#, "no header can have the name \"a b\"".into()),
        (r#"{"headers":{"":"x"}}"#, "no header can have the name \"\"".into()),
        (r#"{"headers":{"a":"x\r\nb: y"}}"#, "header \"a\" has a control character in its value".into()),
    ] {
        assert_eq!(answer(payload), error, "{payload}");
    }
    for payload in [
        r#"{"statusCode":"test"}"#,
        r#"{"statusCode":""}"#,
        r#"{"statusCode":"+200"}"#,
        r#"{"statusCode":200.5}"#,
        r#"{"statusCode":true}"#,
        r#"{"statusCode":[200]}"#,
        r#"{"headers":[]}"#,
        r#"{"headers":{"a":1}}"#,
        r#"{"headers":{"a":null}}"#,
        r#"{"headers":{"a":["x"]}}"#,
        r#"{"multiValueHeaders":{"a":"x"}}"#,
        r#"{"multiValueHeaders":{"a":[1]}}"#,
        r#"{"multiValueHeaders":[]}"#,
        r#"{"body":{"a":1}}"#,
        r#"{"body":7}"#,
        r#"{"isBase64Encoded":"true"}"#,
        "{\"body\":\"\u{1}\"}",
    ] {
        assert!(
            answer(payload).starts_with("no answer of a proxy integration: "),
            "{payload}: {}",
            answer(payload)
        );
    }
}

#[test]
fn headers_without_end_are_malformed() {
    let list = |count: usize| vec![r#""x""#; count].join(",");
    let names = |count: usize| (0..count).map(|n| format!(r#""h{n}":"x""#)).collect::<Vec<_>>().join(",");
    let error = format!("more than {ANSWER_HEADERS_MAX} headers");
    let max = ANSWER_HEADERS_MAX;
    for (payload, fits) in [
        (format!(r#"{{"multiValueHeaders":{{"a":[{}]}}}}"#, list(max)), true),
        (format!(r#"{{"multiValueHeaders":{{"a":[{}]}}}}"#, list(max + 1)), false),
        (format!(r#"{{"headers":{{{}}}}}"#, names(max)), true),
        (format!(r#"{{"headers":{{{}}}}}"#, names(max + 1)), false),
        (format!(r#"{{"multiValueHeaders":{{"a":[{0}],"b":[{0}]}}}}"#, list(max)), false),
    ] {
        assert_eq!(!answer(&payload).contains(&error), fits);
    }
}

#[test]
fn a_header_name_has_a_longest_length() {
    let payload = |length: usize| format!(r#"{{"headers":{{"{}":"x"}}}}"#, "n".repeat(length));
    assert!(answer(&payload(HEADER_NAME_BYTES_MAX)).starts_with("200 "));
    assert!(answer(&payload(HEADER_NAME_BYTES_MAX + 1)).starts_with("no header can have the name"));
}

#[test]
fn base64_is_decoded_for_those_who_accept_bytes() {
    let payload = Bytes::from_static(br#"{"body":"dGVzdC1kYXRh","isBase64Encoded":true}"#);
    for (held, accept, body) in [
        (&[][..], None, "dGVzdC1kYXRh"),
        (&["image/png"][..], None, "dGVzdC1kYXRh"),
        (&["image/png"], Some("*/*"), "dGVzdC1kYXRh"),
        (&["image/png"], Some("image/png, text/html"), "test-data"),
        (&["*/*"], None, "test-data"),
    ] {
        let held: Vec<String> = held.iter().map(|&held| held.to_owned()).collect();
        let answer = reply(&payload, accept.map(str::as_bytes), MediaTypes(&held)).unwrap();
        assert_eq!(answer.body, body);
    }
    let all = ["*/*".to_owned()];
    let bad = Bytes::from_static(br#"{"body":"no base64!","isBase64Encoded":true}"#);
    assert_eq!(reply(&bad, None, MediaTypes(&all)), Err(Malformed::Base64));
    let plain = Bytes::from_static(br#"{"body":"no base64!"}"#);
    assert_eq!(reply(&plain, None, MediaTypes(&all)).unwrap().body, "no base64!");
}

#[test]
fn a_plain_body_is_a_part_of_the_payload_not_a_copy() {
    let payload = Bytes::from_static(br#"{"body":"hello"}"#);
    let body = reply(&payload, None, NO_TYPES).unwrap().body;
    assert!(payload.as_ptr_range().contains(&body.as_ptr()));
}

fn a_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        (100..700_u16).prop_map(|value| value.to_string()),
        "[a-zA-Z0-9:\r\n ]{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let name = prop_oneof![
            Just("statusCode"),
            Just("headers"),
            Just("multiValueHeaders"),
            Just("body"),
            Just("isBase64Encoded"),
            Just("Server"),
            Just("x")
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name, inner), 0..5).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Whatever comes out can be sent.
fn is_sound(payload: Vec<u8>) {
    let types = ["*/*".to_owned()];
    if let Ok(answer) = reply(&Bytes::from(payload), None, MediaTypes(&types)) {
        assert!((200..600).contains(&answer.status));
        assert!(answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")));
        for (name, value) in &answer.headers {
            assert!(!name.is_empty() && name.is_ascii() && !name.contains([':', ' ', '\r', '\n']));
            assert!(!value.contains(['\r', '\n', '\0']));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_json_is_an_answer_or_malformed(payload in a_json()) {
        is_sound(payload.into_bytes());
    }

    #[test]
    fn any_bytes_are_an_answer_or_malformed(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        is_sound(payload);
    }
}
