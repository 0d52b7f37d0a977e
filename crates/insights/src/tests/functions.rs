use super::*;

#[test]
fn functions_answer() {
    let message = r#"{"n":-7.5,"s":"  foo ","e":"","ip":"10.1.2.3","six":"2001:db8::1","t":"true","a":{"b":[1,2]},"q":"x\"y"}"#;
    for (expression, answer) in [
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "4"),
        ("10 % 3", "1"),
        ("1 / 3", "0.3333"),
        ("1 / 0", "-"),
        ("n + 1", "-6.5"),
        ("s + 1", "-"),
        ("missing + 1", "-"),
        ("abs(n)", "7.5"),
        ("ceil(n)", "-7"),
        ("floor(n)", "-8"),
        ("round(2.5)", "3"),
        ("greatest(1, n, \"12\")", "12"),
        ("least(1, n, s)", "-7.5"),
        ("log(1)", "0"),
        ("sqrt(9)", "3"),
        ("sqrt(-1)", "-"),
        ("toInt(\"12.9\")", "12"),
        ("toNumber(s)", "-"),
        ("now()", "1764324000"),
        ("bin(1h)", "2025-11-28 10:00:00.000"),
        ("bin(1d)", "2025-11-28 00:00:00.000"),
        ("datefloor(@timestamp, 1mo)", "2025-11-01 00:00:00.000"),
        ("dateceil(@timestamp, 1d)", "2025-11-29 00:00:00.000"),
        ("dateceil(@timestamp, 1h)", "2025-11-28 10:00:00.000"),
        ("fromMillis(0)", "1970-01-01 00:00:00.000"),
        ("fromMillis(1e300)", "-"),
        ("toMillis(@timestamp)", "1764324000000"),
        ("ispresent(n)", "1"),
        ("ispresent(missing)", "0"),
        ("coalesce(missing, e, n)", ""),
        ("coalesce(missing, n)", "-7.5"),
        ("coalesce(missing)", "-"),
        ("if(n < 0, \"less\", \"more\")", "less"),
        ("isempty(e)", "1"),
        ("isempty(missing)", "1"),
        ("isempty(s)", "0"),
        ("isblank(\"  \")", "1"),
        ("isblank(s)", "0"),
        ("concat(\"a\", n, missing, \"b\")", "a-7.5b"),
        ("ltrim(s)", "foo "),
        ("rtrim(s)", "  foo"),
        ("trim(s)", "foo"),
        ("ltrim(\"xyZfooxyZ\", \"xyZ\")", "fooxyZ"),
        ("rtrim(\"xyZfooxyZ\", \"xyZ\")", "xyZfoo"),
        ("trim(\"xyZfooxyZ\", \"xyZ\")", "foo"),
        ("strlen(\"häß\")", "3"),
        ("toupper(\"aß\")", "ASS"),
        ("tolower(\"AB\")", "ab"),
        ("substr(\"xyZfooxyZ\", 3)", "fooxyZ"),
        ("substr(\"xyZfooxyZ\", 3, 3)", "foo"),
        ("substr(\"ab\", 5)", ""),
        ("substr(\"ab\", -1)", "-"),
        ("replace(\"foo\", \"o\", \"0\")", "f00"),
        ("replace(\"foo\", \"\", \"0\")", "foo"),
        ("strcontains(@message, \"foo\")", "1"),
        ("strcontains(@message, \"FOO\")", "0"),
        ("startsWith(\"foobar\", \"foo\")", "1"),
        ("endsWith(\"foobar\", \"foo\")", "0"),
        ("isValidIp(ip)", "1"),
        ("isValidIp(s)", "0"),
        ("isValidIpV4(six)", "0"),
        ("isValidIpV6(six)", "1"),
        ("isIpInSubnet(ip, \"10.0.0.0/8\")", "1"),
        ("isIpInSubnet(ip, \"10.2.0.0/16\")", "0"),
        ("isIpInSubnet(ip, \"0.0.0.0/0\")", "1"),
        ("isIpInSubnet(ip, \"10.0.0.0/40\")", "0"),
        ("isIpInSubnet(six, \"2001:db8::/32\")", "1"),
        ("isIpInSubnet(six, \"::/0\")", "1"),
        ("isIpv4InSubnet(six, \"2001:db8::/32\")", "0"),
        ("isIpv6InSubnet(six, \"2001:db8::/32\")", "1"),
        ("jsonStringify(q)", "\"x\\\"y\""),
        ("jsonParse(\"[1, 2]\")", "[1,2]"),
        ("jsonParse(\"1\")", "-"),
        ("a.b.1", "2"),
        ("a.b[0]", "1"),
        ("`a`.`b`.1", "2"),
        ("n < -7 and t", "1"),
        ("not t", "0"),
        ("true", "1"),
    ] {
        assert_eq!(value(expression, message), answer, "{expression}");
    }
}

#[test]
fn no_function_makes_endless_text() {
    let long = "x".repeat(600_000);
    assert_eq!(value("strlen(concat(@message, @message))", &long), "-");
    assert_eq!(value("strlen(replace(@message, \"x\", \"yy\"))", &long), "-");
    assert_eq!(value("strlen(replace(@message, \"x\", \"y\"))", &long), "600000");
}

#[test]
fn parsed_json_has_members() {
    let messages = events("0:g", &[(0, r#"x {"a.b":{"c":[{"d":5}]},"e":null}"#)]);
    let begin = "parse @message \"x *\" as text | fields jsonParse(text) as j";
    check(&format!("{begin} | display j.`a.b`.c[0].d, j.e, j.f"), &messages, &["5|-|-"]);
    // Not yet in the same command.
    check(&format!("{begin}, j.e as e | display e"), &messages, &["-"]);
}
