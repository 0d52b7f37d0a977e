use super::*;

#[test]
fn flaws_are_told_with_their_place() {
    for (text, message, at) in [
        ("", "unexpected symbol found <EOF> at line 1 and position 0", 0..0),
        ("# only a comment", "unexpected symbol found <EOF> at line 1 and position 16", 16..16),
        ("fields @message |", "unexpected symbol found <EOF> at line 1 and position 17", 17..17),
        ("fields @message | count()", "unexpected symbol found count at line 1 and position 18", 18..23),
        ("fields a\n| sort b c", "unexpected symbol found c at line 2 and position 9", 18..19),
        ("fields \"ü\" §", "unexpected symbol found § at line 1 and position 11", 11..12),
        ("filter a = ", "unexpected symbol found <EOF> at line 1 and position 11", 11..11),
        ("filter a like \"x", "unexpected symbol found \" at line 1 and position 14", 14..15),
        ("filter nosuch(a)", "unexpected symbol found nosuch at line 1 and position 7", 7..13),
        ("filter count(*) > 1", "unexpected symbol found count at line 1 and position 7", 7..12),
        ("dedup a | sort b", "unexpected symbol found sort at line 1 and position 10", 10..14),
        ("stats a by b", "unexpected symbol found a at line 1 and position 6", 6..7),
        ("stats 1", "unexpected symbol found 1 at line 1 and position 6", 6..7),
        ("stats count(*) as n | sort x", "Unknown symbols found in or after stats: x", 27..28),
        ("stats pct(a, 101)", "unexpected symbol found 101 at line 1 and position 13", 13..16),
        ("filter abs(1, 2) = 1", "the function abs doesn't take 2 arguments", 7..16),
        ("fields bin(5 parsec)", "unexpected symbol found parsec at line 1 and position 13", 13..19),
        ("fields bin(5parsec)", "unexpected symbol found 5parsec at line 1 and position 11", 11..18),
        ("limit 0", "unexpected symbol found 0 at line 1 and position 6", 6..7),
        ("limit 10001", "a limit is at most 10000", 0..11),
        (
            "parse @message \"a=* b=*\" as a",
            "the number of wildcards in the pattern (2) is not the number of fields (1)",
            0..29,
        ),
        ("parse @message /(a)/", "the regular expression has no group for a field", 0..20),
        ("parse @message /(?<a>x)/ as a, b", "the regular expression has no group for a field", 0..32),
        ("filter a like /(/", "the regular expression can't be read", 7..17),
    ] {
        assert_eq!(malformed(text), (message.to_owned(), at), "{text}");
    }
}

#[test]
fn what_is_not_run_is_named() {
    for (text, what) in [
        (
            "limit 5 | diff",
            "The query command diff after others than fields, filter, parse, sort and pattern",
        ),
        ("SOURCE \"g\" | fields a", "The query command source"),
        ("fields a | anomaly", "The query command anomaly"),
        ("unnest a into b", "The query command unnest"),
        ("lookup t a", "The query command lookup"),
        ("parse @message logfmt as lf", "The query command parse logfmt"),
        ("fields urlencode(a)", "The query function urlencode"),
        ("stats rate(a, 1m) by bin(5m)", "The query function rate"),
        ("filter a like /(?=x)/", "Look-around in a regular expression"),
        (r"parse @message /(?<a>x)\1/", "A back-reference in a regular expression"),
    ] {
        assert_eq!(unsupported(text), what, "{text}");
    }
}

#[test]
fn bounds_hold() {
    let deep = format!("filter {}1{}", "(".repeat(100), ")".repeat(100));
    assert_eq!(malformed(&deep).0, "an expression is deeper than 40");
    let signs = format!("filter {}1", "-".repeat(1000));
    assert_eq!(malformed(&signs).0, "an expression is deeper than 40");
    let powers = format!("filter {}1", "1^".repeat(1000));
    assert_eq!(malformed(&powers).0, "an expression is deeper than 40");
    let long = format!("filter a = \"{}\"", "x".repeat(10_000));
    assert_eq!(malformed(&long).0, "a query has at most 10000 characters");
    let many: Vec<String> = (0..1001).map(|n| format!("f{n}")).collect();
    assert_eq!(malformed(&format!("fields {}", many.join(","))).0, "a query has at most 1000 fields");
    let sums = format!("filter 1{}", "+1".repeat(101));
    assert_eq!(malformed(&sums).0, "more than 100 operators in a row");
    // Long chains of the same strength are no depth.
    let chain = format!("filter a=1{}", " or a=1".repeat(1000));
    let query = Query::compile(&chain, options());
    assert!(query.is_ok(), "{query:?}");
}

#[test]
fn what_a_query_keeps_is_bounded() {
    let options = Options { bytes_max: 10_000, ..options() };
    for text in [
        "fields @message",
        "stats count(*) by @message",
        "pattern @message",
        "stats count_distinct(@message)",
    ] {
        let query = std::sync::Arc::new(Query::compile(text, options).expect(text));
        let mut worker = Worker::new(query.clone());
        let mut push = |n: u128| {
            let message: String = format!("{n:b}").replace('0', "u").replace('1', "v");
            let event = Event {
                log: "0:g",
                stream: "s",
                at_ms: 0,
                ingested_ms: 0,
                id: n,
                pointer: &n,
                message: &message,
            };
            worker.push(&event)
        };
        let failed = (0..10_000).find_map(|n| push(n).err());
        assert_eq!(failed, Some(crate::RunError::TooLarge { limit: 10_000 }), "{text}");
    }
}

#[test]
fn needles_are_of_filters_on_the_message() {
    for (text, needles) in [
        ("filter @message like /x-error/ | stats count(*)", vec!["x-error"]),
        ("filter @message like \"a b\" and (@message =~ /^cc.*d$/ and n > 1)", vec!["a b", "cc"]),
        ("filter @message like \"a\" or @message like \"b\"", vec![]),
        ("filter @message not like \"a\"", vec![]),
        ("filter level like \"a\"", vec![]),
        ("fields concat(\"a\", \"b\") as @message | filter @message like \"ab\"", vec![]),
        ("stats count(*) as n by @message | filter @message like \"ab\"", vec![]),
    ] {
        let query = Query::compile(text, options()).expect(text);
        assert_eq!(query.needles(), needles, "{text}");
    }
}

#[test]
fn comments_case_and_quotes_are_as_on_aws() {
    let messages = events("0:g", &[(0, r#"{"odd-name":"it's","pipe":"a|b # c"}"#)]);
    let text = "# first\nFIELDS `odd-name` AS name, pipe # then\n| FILTER pipe = 'a|b # c' AND name LIKE 'it\\'s'\n| SORT name DESC";
    check(text, &messages, &["it's|a|b # c"]);
}

#[test]
fn what_filters_want_is_looked_for_before_anything_is_read() {
    let needles = |text: &str| {
        let query = Query::compile(text, options()).expect(text);
        (query.needles().to_vec(), query.literals.iter().map(|l| l.needle().to_vec()).collect::<Vec<_>>())
    };
    for (filter, in_messages, in_json) in [
        (r#"filter @type = "REPORT" and @duration > 5"#, vec!["REPORT"], vec![]),
        (r#"filter level = "ERROR" | filter path like /^.p1/"#, vec![], vec!["ERROR", "p1"]),
        (r#"filter level = "ERROR" or level = "WARN""#, vec![], vec![]),
        (r#"filter not (level = "ERROR")"#, vec![], vec![]),
        (r#"filter level != "ERROR""#, vec![], vec![]),
        (r#"filter status = "200" and status like "20" and ok = "true" and x = """#, vec![], vec![]),
        (r#"fields concat(level, "") as level | filter level = "ERROR""#, vec![], vec![]),
    ] {
        let json: Vec<Vec<u8>> = in_json.iter().map(|text: &&str| text.as_bytes().to_vec()).collect();
        assert_eq!(
            needles(filter),
            (in_messages.iter().map(|s: &&str| (*s).to_owned()).collect(), json),
            "{filter}"
        );
    }
    let events = events(
        "0:g",
        &[
            (0, r#"{"level":"\u0045RROR","n":1}"#),
            (1, r#"{"level":"ERROR","n":2}"#),
            (2, r#"{"level":"INFO","n":3}"#),
            (3, r#"{"level":"a \"quoted\" word","n":4}"#),
        ],
    );
    check(r#"filter level = "ERROR" | fields n | sort n | display n"#, &events, &["1", "2"]);
    check(r#"filter level like /"quoted" w/ | display n"#, &events, &["4"]);
}

#[test]
fn numbers_are_kept_as_they_were_found() {
    let events = events(
        "0:g",
        &[
            (0, r#"{"ms":1.50,"big":1e3,"s":200}"#),
            (1, r#"{"ms":0.123456789,"s":200}"#),
            (2, r#"{"ms":12,"s":"200"}"#),
        ],
    );
    check("fields ms | sort ms | display ms", &events, &["0.123456789", "1.5", "12"]);
    check("stats max(ms) as most, min(ms) as least", &events, &["12|0.123456789"]);
    check("stats count(*) as n by s", &events, &["200|3"]);
    check("filter ms = 1.5 and big = 1000 | display ms", &events, &["1.5"]);
}
