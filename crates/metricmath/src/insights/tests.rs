use proptest::prelude::*;

use super::*;

const METRICS: [(&str, &[(&str, &str)]); 5] = [
    ("m", &[]),
    ("m", &[("a", "1")]),
    ("m", &[("a", "2"), ("b", "x")]),
    ("m", &[("a", "1"), ("b", "y")]),
    ("My.Metric", &[("a", "1")]),
];

fn found(text: &str) -> Vec<usize> {
    let query = Insights::parse(text).expect(text);
    let matches = |place: &usize| {
        let (name, dimensions) = METRICS[*place];
        query.matches(Identity { namespace: "N/s", name, dimensions })
    };
    (0..METRICS.len()).filter(matches).collect()
}

#[test]
fn a_query_is_about_the_metrics_that_it_names() {
    for (text, expected) in [
        ("SELECT AVG(m) FROM \"N/s\"", vec![0, 1, 2, 3]),
        ("select max(\"m\") from SCHEMA(\"N/s\")", vec![0]),
        ("SELECT SUM(m) FROM SCHEMA(\"N/s\", a)", vec![1]),
        ("SELECT SUM(m) FROM SCHEMA(\"N/s\", b, \"a\")", vec![2, 3]),
        ("SELECT MIN(\"My.Metric\") FROM \"N/s\"", vec![4]),
        ("SELECT COUNT(m) FROM \"N/s\" WHERE a = '1'", vec![1, 3]),
        ("SELECT COUNT(m) FROM \"N/s\" WHERE a != '1'", vec![2]),
        ("SELECT COUNT(m) FROM \"N/s\" where a = '1' and b != 'x'", vec![3]),
        ("SELECT AVG(M) FROM \"N/s\"", vec![]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn groups_are_values_and_other() {
    let query = Insights::parse("SELECT AVG(m) FROM \"N/s\" GROUP BY b, a").expect("a query");
    assert!(query.is_grouped());
    let group = |place: usize| {
        let (name, dimensions) = METRICS[place];
        query.group(Identity { namespace: "N/s", name, dimensions })
    };
    assert_eq!([group(2), group(1), group(0)], [["x", "2"], ["Other", "1"], ["Other", "Other"]]);
}

#[test]
fn series_are_sorted_and_limited() {
    let series = |label: &str, values: &[f64]| {
        let points = values.iter().enumerate().map(|(place, value)| (place as i64, *value)).collect();
        Series { label: label.to_owned(), points, ..Series::default() }
    };
    let all = || {
        vec![series("a", &[1.0, 9.0]), series("b", &[6.0]), series("c", &[2.0, 2.0, 3.0]), series("d", &[])]
    };
    for (clause, expected) in [
        ("", vec!["a", "b", "c"]),
        ("ORDER BY MAX() DESC", vec!["a", "b", "c"]),
        ("ORDER BY AVG()", vec!["c", "a", "b"]),
        ("ORDER BY COUNT() DESC LIMIT 1", vec!["c"]),
        ("ORDER BY MIN() ASC LIMIT 2", vec!["a", "c"]),
        ("ORDER BY SUM() ASC", vec!["b", "c", "a"]),
        ("LIMIT 2", vec!["a", "b"]),
    ] {
        let query = Insights::parse(&format!("SELECT AVG(m) FROM N GROUP BY d {clause}")).expect(clause);
        let labels: Vec<String> = query.arrange(all()).into_iter().map(|series| series.label).collect();
        assert_eq!(labels, expected, "{clause}");
    }
}

#[test]
fn what_is_no_query_is_refused() {
    for text in [
        "SELECT",
        "SELECT AVG(m)",
        "SELECT AVG(m) FROM AWS/EC2",
        "SELECT AVG(LIMIT) FROM N",
        "SELECT AVG(m) FROM N WHERE a = 1",
        "SELECT AVG(m) FROM N WHERE a = \"1\"",
        "SELECT AVG(m) FROM N WHERE a < '1'",
        "SELECT AVG(m) FROM N WHERE a = '1' OR a = '2'",
        "SELECT AVG(m) FROM N LIMIT 0",
        "SELECT AVG(m) FROM N LIMIT 501",
        "SELECT AVG(m) FROM N GROUP a",
        "SELECT AVG(m) FROM N ORDER BY AVG",
        "SELECT AVG(m) FROM SCHEMA()",
        "SELECT AVG(m) FROM N LIMIT 1 WHERE a = '1'",
        "SELECT AVG(m) FROM 'N'",
    ] {
        assert_eq!(Insights::parse(text), Err(Error::Syntax), "{text}");
    }
    assert_eq!(Insights::parse("SELECT P90(m) FROM N"), Err(Error::NoFunction("P90".to_owned())));
    for text in ["SELECT AVG(m) FROM N WHERE tag.env = 'x'", "SELECT AVG(m) FROM N GROUP BY tag.\"env\""] {
        assert!(matches!(Insights::parse(text), Err(Error::Unsupported(_))), "{text}");
    }
    assert!(Insights::parse("SELECT AVG(m) FROM N LIMIT 500").is_ok());
    let long = format!("SELECT AVG(m) FROM N{}", " ".repeat(crate::EXPRESSION_CHARS_MAX));
    assert_eq!(Insights::parse(&long), Err(Error::TooLong { limit: crate::EXPRESSION_CHARS_MAX }));
    assert!(Insights::is_meant(" select AVG(m) FROM N") && !Insights::is_meant("SELECTED + 1"));
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in ".{0,60}") {
        let _ = Insights::parse(&format!("SELECT AVG(m) FROM {text}"));
    }
}
