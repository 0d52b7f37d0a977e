use super::Pattern;

#[track_caller]
fn check(pattern: &str, good: &[&str], bad: &[&str]) {
    let compiled = Pattern::parse(pattern);
    assert!(compiled.is_known(), "{pattern}");
    for text in good {
        assert!(compiled.matches(text), "{pattern} should describe {text:?}");
    }
    for text in bad {
        assert!(!compiled.matches(text), "{pattern} should not describe {text:?}");
    }
}

#[test]
fn patterns_describe_whole_texts() {
    check("[a-z]+", &["a", "abc"], &["", "a1", "1a"]);
    check("a|bc|", &["a", "bc", ""], &["abc", "b"]);
    check("[a-zA-Z0-9-_]{1,3}", &["a-_"], &["", "abcd", "."]);
    check(r"[\w-_]*", &["", "a-_9"], &["é", "."]);
    check(r"[^:*$]*", &["abc"], &["a:b", "$"]);
    check(r"(\d{12})?x", &["x", "123456789012x"], &["1x"]);
    check(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", &["Größe 1", ""], &["a#b"]);
    check(r"\u002F[\u0021-\u007F]*", &["/", "/abc"], &["abc", "/é"]);
    check(r"(ab*)*c", &["c", "abbbabc"], &["abd"]);
    check("(a?){3}", &["", "aaa"], &["aaaa"]);
}

#[test]
fn lookaround_of_the_models() {
    check("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", &["live", "1a"], &["1", "42", "", "a b"]);
    check(r"((?!^\d+$)^[0-9a-zA-Z-_]+$)", &["live"], &["1"]);
    check(r"[0-9A-Za-z\.\-_]*(?<!\.)", &["a.b", ""], &["a."]);
    check("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", &["a-b"], &["a--b", "-ab", "ab-"]);
    check(r"(^(?!(system\x2e)))(^[_a-zA-Z0-9])([^$]*)", &["sys", "system"], &["system.x", "a$"]);
}

#[test]
fn nasty_patterns_take_no_time() {
    let text = "a".repeat(20_000) + "!";
    for pattern in ["(a+)+", "(a|a)*", "(a*)*b?"] {
        assert!(!Pattern::parse(pattern).matches(&text));
    }
}

#[test]
fn unknown_notation_holds_for_everything() {
    for pattern in ["(", "[a", r"\k", "a{2", "(?<name>a)", "*", "[z-a]"] {
        let compiled = Pattern::parse(pattern);
        assert!(!compiled.is_known() && compiled.matches("anything"), "{pattern}");
    }
}

#[test]
fn all_patterns_of_the_models_are_known() {
    for source in pitbird_models::SOURCES {
        let model = crate::Model::parse(source.key, source.model().leak(), source.patch).unwrap();
        for (_, shape) in model.shapes() {
            if let Some(pattern) = shape.constraints.pattern {
                assert!(Pattern::parse(pattern).is_known(), "{} {}: {pattern}", source.key, shape.name);
            }
        }
    }
}
