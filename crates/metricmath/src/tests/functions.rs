//! Each operator and function by a table.

use super::*;

fn world() -> World {
    World::new(&[("a", &[1.0, NO, 4.0, NO, -2.0, NO]), ("b", &[2.0, 3.0, NO, NO, 0.0, NO])])
}

#[test]
fn functions_of_one_series() {
    for (text, expected) in [
        ("ABS(a)", [1.0, NO, 4.0, NO, 2.0, NO]),
        ("CEIL(a/3)", [1.0, NO, 2.0, NO, 0.0, NO]),
        ("FLOOR(a/3)", [0.0, NO, 1.0, NO, -1.0, NO]),
        ("LOG(a)", [0.0, NO, 4f64.ln(), NO, NO, NO]),
        ("LOG10(a*25)", [25f64.log10(), NO, 2.0, NO, NO, NO]),
        ("RATE(a)", [NO, NO, 0.025, NO, -0.05, NO]),
        ("DIFF(a)", [NO, NO, 3.0, NO, -6.0, NO]),
        ("DIFF_TIME(a)", [NO, NO, 120.0, NO, 120.0, NO]),
        ("RUNNING_SUM(a)", [1.0, NO, 5.0, NO, 3.0, NO]),
        ("FILL(a, 9)", [1.0, 9.0, 4.0, 9.0, -2.0, 9.0]),
        ("FILL(a, b)", [1.0, 3.0, 4.0, NO, -2.0, NO]),
        ("FILL(a, REPEAT)", [1.0, 1.0, 4.0, 4.0, -2.0, -2.0]),
        ("FILL(a, LINEAR)", [1.0, 2.5, 4.0, 1.0, -2.0, NO]),
        ("FILL(DIFF(a), REPEAT)", [NO, NO, 3.0, 3.0, -6.0, -6.0]),
        ("FILL(DIFF(a), LINEAR)", [NO, NO, 3.0, -1.5, -6.0, NO]),
        ("FILL(IF(0, 7), 1)", [1.0; 6]),
        ("FILL(FIRST(SLICE(METRICS(), 9)), 1)", [1.0; 6]),
        ("TIME_SERIES(5)", [5.0; 6]),
        ("TIME_SERIES(1/0)", [NO; 6]),
    ] {
        same(&world().row(text), &expected);
    }
    assert_eq!(world().rows("RATE(METRICS())").len(), 2);
}

#[test]
fn operators_bind_as_in_mathematics() {
    for (text, expected) in [
        ("2+3*4", 14.0),
        ("(2+3)*4", 20.0),
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("10-4-3", 3.0),
        ("16/4/2", 2.0),
        ("1+1 == 2 AND 3 > 2", 1.0),
        ("0 AND 0 OR 1", 1.0),
        ("1 OR 0 AND 0", 1.0),
        ("1 <= 1", 1.0),
        ("1 != 1", 0.0),
        ("--1.5e1", 15.0),
        (".5", 0.5),
    ] {
        assert_eq!(world().scalar(text), expected, "{text}");
    }
}

#[test]
fn pairs_of_series_need_both_and_no_point_is_infinite() {
    for (text, expected) in [
        ("a+b", [3.0, NO, NO, NO, -2.0, NO]),
        ("a-b", [-1.0, NO, NO, NO, -2.0, NO]),
        ("a/b", [0.5, NO, NO, NO, NO, NO]),
        ("b/a", [2.0, NO, NO, NO, 0.0, NO]),
        ("a^0.5", [1.0, NO, 2.0, NO, NO, NO]),
        ("1e308*a*10*0", [NO, NO, NO, NO, NO, NO]),
        ("a == b", [0.0, 0.0, 0.0, NO, 0.0, NO]),
        ("a != b", [1.0, 1.0, 1.0, NO, 1.0, NO]),
    ] {
        same(&world().row(text), &expected);
    }
}

#[test]
fn periods_that_differ_meet_where_they_begin_together() {
    let mut world = world();
    let five = Series { period_s: 300, points: vec![(START_MS, 10.0)], ..Series::default() };
    world.others.insert("c".to_owned(), Value::Series(five));
    let Ok(Value::Series(sum)) = world.value("a + c") else { panic!("a series") };
    assert_eq!((sum.period_s, sum.points), (300, vec![(START_MS, 11.0)]));
}

#[test]
fn aggregates_of_a_series_are_numbers() {
    for (text, expected) in [
        ("AVG(a)", 1.0),
        ("MAX(a)", 4.0),
        ("MIN(a)", -2.0),
        ("SUM(a)", 3.0),
        ("STDDEV(a)", 6f64.sqrt()),
        ("DATAPOINT_COUNT(a)", 3.0),
        ("DATAPOINT_COUNT(IF(0, a))", 0.0),
        ("SUM(IF(0, a))", 0.0),
        ("METRIC_COUNT([a, b, a])", 3.0),
        ("PERIOD(a)", 60.0),
    ] {
        assert_eq!(world().scalar(text), expected, "{text}");
    }
    assert!(world().scalar("MAX(IF(0, a))").is_nan());
    same(&world().row("b + MAX(IF(0, a))"), &[NO; 6]);
}

#[test]
fn aggregates_of_an_array_are_series() {
    for (text, expected) in [
        // The same times in both, so a way of its own.
        ("SUM([a, a*2])", [3.0, NO, 12.0, NO, -6.0, NO]),
        ("AVG([a, a*2])", [1.5, NO, 6.0, NO, -3.0, NO]),
        ("MAX([b])", [2.0, 3.0, NO, NO, 0.0, NO]),
        ("AVG([a, b])", [1.5, 1.5, 2.0, NO, -1.0, NO]),
        ("MAX([a, b])", [2.0, 3.0, 4.0, NO, 0.0, NO]),
        ("MIN([a, b])", [1.0, 3.0, 4.0, NO, -2.0, NO]),
        ("SUM([a, b])", [3.0, 3.0, 4.0, NO, -2.0, NO]),
        ("STDDEV([a, b])", [0.5, 0.0, 0.0, NO, 1.0, NO]),
        ("DATAPOINT_COUNT([a, b])", [2.0, 1.0, 1.0, NO, 2.0, NO]),
    ] {
        same(&world().row(text), &expected);
    }
}

#[test]
fn arrays_are_sorted_cut_and_cleared() {
    let mut world = World::new(&[("low", &[1.0, 2.0]), ("none", &[]), ("high", &[9.0, 0.0])]);
    world.others.insert("e".to_owned(), world.value("METRICS()").expect("an array"));
    for (text, expected) in [
        ("METRICS()", vec!["low", "none", "high"]),
        ("e", vec!["low", "none", "high"]),
        ("METRICS(\"h\")", vec!["high"]),
        ("SORT(METRICS(), MAX, ASC)", vec!["low", "high", "none"]),
        ("SORT(METRICS(), MAX, DESC)", vec!["high", "low", "none"]),
        ("SORT(METRICS(), MIN, ASC, 1)", vec!["high"]),
        ("REMOVE_EMPTY(METRICS())", vec!["low", "high"]),
        ("SLICE(METRICS(), 1)", vec!["none", "high"]),
        ("SLICE(METRICS(), 1, 2)", vec!["none"]),
        ("SLICE(METRICS(), 2, 1)", vec![]),
        ("SLICE(METRICS(), 7, 9)", vec![]),
        ("[high, e]", vec!["high", "low", "none", "high"]),
        ("SEARCH('{N} MetricName=\"m\"', 'Average', 300)", vec!["Average", "second"]),
    ] {
        assert_eq!(world.labels(text), expected, "{text}");
    }
    same(&world.row("FIRST(METRICS())"), &[1.0, 2.0]);
    same(&world.row("LAST(METRICS())"), &[9.0, 0.0]);
    same(&world.row("FIRST(SLICE(METRICS(), 9))"), &[NO, NO]);
}

#[test]
fn the_calendar_is_utcs_and_nowhere_missing() {
    // Tuesday, 2023-11-14T22:14:00Z.
    for (text, expected) in [
        ("MINUTE(a)", 14.0),
        ("HOUR(a)", 22.0),
        ("DAY(a)", 2.0),
        ("DATE(a)", 14.0),
        ("MONTH(a)", 11.0),
        ("YEAR(a)", 2023.0),
        ("EPOCH(a)", 1_700_000_040.0),
    ] {
        let row = world().row(text);
        assert_eq!(row[0], expected, "{text}");
        assert!(row.iter().all(|value| value.is_finite()), "{text}: {row:?}");
    }
}
