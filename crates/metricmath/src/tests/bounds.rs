//! What is refused, and that nothing else happens to whatever comes.

use proptest::prelude::*;

use super::*;
use crate::{EXPRESSION_CHARS_MAX, NESTING_MAX, SEARCH_CHARS_MAX};

fn world() -> World {
    World::new(&[("a", &[1.0, NO, 3.0]), ("b", &[2.0, 0.0, NO])])
}

#[test]
fn what_is_no_expression_is_refused_in_awss_words() {
    for text in [
        "", " ", "a +", "(a", "a b", "a,", "[]", "SUM(a", "1..2", "'x'", "AVG", "a = b", "a AND", "é",
        "SUM(a)(",
    ] {
        assert_eq!(Expression::parse(text), Err(Error::Syntax), "{text}");
    }
    assert_eq!(
        Expression::parse("ANOMALY_DETECTOR(a)").expect_err("unknown").to_string(),
        "Function 'ANOMALY_DETECTOR' not found"
    );
    assert_eq!(Error::Syntax.to_string(), "Invalid syntax");
}

#[test]
fn functions_that_need_what_is_not_here_are_refused_by_name() {
    for text in [
        "SERVICE_QUOTA(a)",
        "INSIGHT_RULE_METRIC('r', 'UniqueContributors')",
        "DB_PERF_INSIGHTS('RDS', 'db-1', 'm')",
        "LAMBDA('f', 'x')",
        "SEARCH(':aws.AccountId=\"1\" MetricName=\"m\"', 'Sum', 60)",
    ] {
        let Err(Error::Unsupported(what)) = Expression::parse(text) else { panic!("{text}") };
        let name = text.split('(').next().unwrap_or_default();
        assert!(what.contains(name), "{what}");
    }
}

#[test]
fn kinds_that_do_not_fit_are_refused() {
    for text in [
        "METRICS() + METRICS()",
        "METRICS() > 1",
        "METRICS() AND a",
        "[1, a]",
        "ABS(1)",
        "SUM(1)",
        "FIRST(a)",
        "SORT(a, AVG, DESC)",
        "SORT(METRICS(), AVG, DESC, a)",
        "SLICE(METRICS(), a)",
        "SLICE(METRICS(), -1)",
        "TIME_SERIES(a)",
        "HOUR(METRICS())",
        "FILL(1, 2)",
        "FILL(a, METRICS())",
        "FILL(1, REPEAT)",
        "IF(METRICS(), a)",
        "IF(a, METRICS())",
        "ANOMALY_DETECTION_BAND(METRICS())",
        "ANOMALY_DETECTION_BAND(a, b)",
    ] {
        let refused = world().value(text).expect_err(text);
        assert!(matches!(refused, Error::Operands { .. } | Error::Arguments { .. }), "{text}: {refused:?}");
    }
    for text in
        ["SUM()", "SUM(a, b)", "FILL(a)", "FILL(a, LAST)", "IF(a)", "IF(a,a,a,a)", "SORT(a)", "PERIOD(a+1)"]
    {
        assert!(matches!(Expression::parse(text), Err(Error::Arguments { .. })), "{text}");
    }
    assert_eq!(world().value("a + nobody"), Err(Error::NoId("nobody".to_owned())));
}

#[test]
fn expressions_say_what_they_need() {
    let text =
        "SUM([m1, e2]) + IF(m1 > 2, SEARCH(' m ', 'Sum'), METRICS()) * FIRST(ANOMALY_DETECTION_BAND(m3, 3))";
    let expression = Expression::parse(text).expect("an expression");
    assert_eq!(expression.ids(), ["e2", "m1", "m3"]);
    assert!(expression.uses_metrics());
    assert_eq!(expression.searches().len(), 1);
    let bands = expression.bands();
    assert_eq!((bands[0].id.as_deref(), bands[0].deviations), (Some("m3"), Some(3.0)));
    assert_eq!(Expression::parse("ANOMALY_DETECTION_BAND(m)").expect("one").bands()[0].deviations, Some(2.0));
}

#[test]
fn texts_and_nesting_are_bounded() {
    let at_most = |text: String| format!("{text}{}", " ".repeat(EXPRESSION_CHARS_MAX - text.len()));
    assert!(Expression::parse(&at_most("a".to_owned())).is_ok());
    let refused = Expression::parse(&format!("{} ", at_most("a".to_owned())));
    assert_eq!(refused, Err(Error::TooLong { limit: EXPRESSION_CHARS_MAX }));
    for (open, close) in [("(", ")"), ("[", "]"), ("-", ""), ("ABS(", ")"), ("2^", "")] {
        let nested = |levels: usize| format!("{}a{}", open.repeat(levels), close.repeat(levels));
        assert!(Expression::parse(&nested(NESTING_MAX)).is_ok(), "{open}");
        let refused = Expression::parse(&nested(NESTING_MAX + 1));
        assert_eq!(refused, Err(Error::TooDeep { limit: NESTING_MAX }), "{open}");
    }
    let long = vec!["a"; EXPRESSION_CHARS_MAX / 2].join("+");
    same(&world().row(&long), &[1024.0, NO, 3072.0]);
    for (open, close) in [("(", ")"), ("NOT ", ""), ("x=(", ")")] {
        let nested = |levels: usize| {
            let (open, close) = (open.repeat(levels), close.repeat(levels));
            Expression::parse(&format!("SEARCH('{open}x{close}', 'Sum')"))
        };
        if open != "x=(" {
            assert!(nested(NESTING_MAX).is_ok(), "{open}");
        }
        assert!(nested(NESTING_MAX + 1).is_err(), "{open}");
    }
    let query = |chars: usize| Expression::parse(&format!("SEARCH('{}', 'Sum')", "x".repeat(chars)));
    assert!(query(SEARCH_CHARS_MAX).is_ok());
    assert_eq!(query(SEARCH_CHARS_MAX + 1), Err(Error::TooLong { limit: SEARCH_CHARS_MAX }));
}

#[test]
fn an_evaluation_makes_no_more_points_than_it_may() {
    let mut world = world();
    world.minutes = 200_000;
    assert!(world.value("TIME_SERIES(1)").is_ok());
    let all = vec!["TIME_SERIES(1)"; 60].join(",");
    assert_eq!(world.value(&format!("[{all}]")), Err(Error::TooManyPoints { limit: crate::POINTS_MAX }));
}

/// Expressions that may be well formed.
fn written() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("METRICS()".to_owned()),
        Just("SEARCH('{N} x NOT y', 'Sum', 60)".to_owned()),
        (-1e3f64..1e3).prop_map(|number| format!("{number}")),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "^", ">", "==", "AND", "||"]);
        let function = prop::sample::select(vec![
            "ABS",
            "AVG",
            "SUM",
            "RATE",
            "DIFF",
            "FIRST",
            "HOUR",
            "TIME_SERIES",
            "STDDEV",
            "RUNNING_SUM",
            "LOG",
            "PERIOD",
        ]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(one, by, other)| format!("({one} {by} {other})")),
            (function, inner.clone()).prop_map(|(name, of)| format!("{name}({of})")),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| format!("[{}]", all.join(","))),
            (inner.clone(), inner.clone()).prop_map(|(of, by)| format!("FILL({of}, {by})")),
            inner.clone().prop_map(|of| format!("FILL({of}, LINEAR)")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("IF({})", all.join(","))),
            (inner.clone(), inner.clone()).prop_map(|(of, place)| format!("SLICE({of}, {place})")),
            inner.prop_map(|of| format!("SORT({of}, SUM, DESC, 2)")),
        ]
    })
}

fn holds(series: &Series) -> bool {
    series.points.iter().all(|point| point.1.is_finite())
        && series.points.windows(2).all(|pair| pair[0].0 < pair[1].0)
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in ".{0,80}") {
        let _ = Expression::parse(&text);
        let _ = Expression::parse(&format!("SEARCH('{text}', 'Sum')"));
    }

    #[test]
    fn no_tokens_are_a_panic(words in prop::collection::vec(prop::sample::select(vec![
        "a", "1", "(", ")", "[", "]", ",", "+", "-", "^", "AND", "SUM(", "FILL(", "SORT(", "IF(", "AVG", "REPEAT", "'x'", "SEARCH(",
    ]), 0..30)) {
        if let Ok(expression) = Expression::parse(&words.join(" ")) {
            let _ = expression.evaluate(&world());
        }
    }

    #[test]
    fn every_evaluation_ends_in_a_value_or_an_error(text in written()) {
        if let Ok(value) = world().value(&text) {
            let fits = match &value {
                Value::Scalar(_) => true,
                Value::Series(series) => holds(series),
                Value::Array(array) => array.iter().all(holds),
            };
            prop_assert!(fits, "{text}: {value:?}");
        }
    }
}
