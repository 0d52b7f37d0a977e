//! What the user guide shows, to the letter.

use super::*;

#[test]
fn comparisons_take_a_missing_point_for_zero() {
    let world = World::new(&[("metric1", &[30.0, 20.0, 0.0, 0.0]), ("metric2", &[20.0, NO, 20.0, NO])]);
    for (text, expected) in [
        ("metric1 < metric2", [0.0, 0.0, 1.0, 0.0]),
        ("metric1 >= 30", [1.0, 0.0, 0.0, 0.0]),
        ("metric1 > 15 AND metric2 > 15", [1.0, 0.0, 0.0, 0.0]),
        ("metric1 > 15 && metric2 > 15", [1.0, 0.0, 0.0, 0.0]),
        ("metric1 > 15 OR metric2 > 15", [1.0, 1.0, 1.0, 0.0]),
        ("metric1 > 15 || metric2 > 15", [1.0, 1.0, 1.0, 0.0]),
    ] {
        same(&world.row(text), &expected);
    }
}

#[test]
fn conditions_choose_point_by_point() {
    let world = World::new(&[
        ("metric1", &[1.0, 1.0, 0.0, 0.0, NO]),
        ("metric2", &[30.0, NO, 0.0, 0.0, 30.0]),
        ("metric3", &[0.0, 0.0, 20.0, NO, 20.0]),
    ]);
    for (text, expected) in [
        ("IF(metric1, metric2, metric3)", [30.0, 0.0, 20.0, NO, NO]),
        ("IF(metric1, 5, metric3)", [5.0, 5.0, 20.0, NO, NO]),
        ("IF(metric1, metric2, 5)", [30.0, 0.0, 5.0, 5.0, 5.0]),
        ("IF(metric1, metric2)", [30.0, 0.0, NO, NO, NO]),
        ("IF(metric2 < 20, 10, 2)", [2.0, NO, 10.0, 10.0, 2.0]),
        ("IF(metric2 < 20, metric2)", [NO, NO, 0.0, 0.0, NO]),
        ("IF(1, metric2, metric3)", [30.0, NO, 0.0, 0.0, 30.0]),
        ("IF(-0.5, metric2, metric3)", [30.0, NO, 0.0, 0.0, 30.0]),
        ("IF(0, metric2, metric3)", [0.0, 0.0, 20.0, NO, 20.0]),
        ("IF(0, metric2)", [NO; 5]),
        ("IF(0, 7)", [NO; 5]),
    ] {
        same(&world.row(text), &expected);
    }
    let chosen = "IF(FIRST(SORT(METRICS(), AVG, DESC)) > 25, 1, 0)";
    same(&world.row(chosen), &[1.0, NO, 0.0, 0.0, 1.0]);
}

#[test]
fn an_error_rate_needs_points_in_both() {
    let world = World::new(&[("e", &[1.0, NO, 2.0, 1.0]), ("i", &[4.0, 8.0, NO, 0.0])]);
    same(&world.row("100 * e / i"), &[25.0, NO, NO, NO]);
    same(&world.row("100*e/FILL(i,1)"), &[25.0, NO, 200.0, NO]);
    same(&world.row("FILL(e, 0) / FILL(i, 1)"), &[0.25, 0.0, 2.0, NO]);
}

#[test]
fn examples_of_the_functions_table_are_evaluated() {
    let world = World::new(&[("m1", &[1.0, 2.0, 3.0]), ("m2", &[4.0, NO, -6.0])]);
    for (text, expected) in [
        ("MIN(ABS([m1, m2]))", [1.0, 2.0, 3.0]),
        ("SUM([m1,m2])/AVG(m2)", [-5.0, -2.0, 3.0]),
        ("AVG(METRICS())", [2.5, 1.0, -1.5]),
        ("SUM(CEIL(METRICS()))", [5.0, 2.0, -3.0]),
        ("FILL(m2, MIN(m2))", [4.0, -6.0, -6.0]),
        ("LAST(ANOMALY_DETECTION_BAND(m1))", [-1.0, 0.0, 1.0]),
        ("FIRST(ANOMALY_DETECTION_BAND(m1,4))", [5.0, 6.0, 7.0]),
        ("MAX(m1)/m1", [3.0, 1.5, 1.0]),
        ("m1/METRIC_COUNT(METRICS())", [0.5, 1.0, 1.5]),
        ("SUM(METRICS(\"m2\"))", [4.0, NO, -6.0]),
        ("SUM([METRICS(\"1\"), METRICS('2')])", [5.0, 2.0, -3.0]),
        ("m1-MIN(m1)", [0.0, 1.0, 2.0]),
        ("m1/PERIOD(m1)", [1.0 / 60.0, 2.0 / 60.0, 0.05]),
        ("SUM(100/[m1, m2])", [125.0, 50.0, 100.0 / 3.0 - 100.0 / 6.0]),
        ("AVG([m1,m2]/m1)", [2.5, 0.5, -0.5]),
        ("SUM(-[m1, m2])", [-5.0, -2.0, 3.0]),
        ("-5*m1", [-5.0, -10.0, -15.0]),
    ] {
        same(&world.row(text), &expected);
    }
    assert_eq!(world.labels("SLICE(SORT(METRICS(), SUM, DESC), 0, 10)"), ["m1", "m2"]);
    assert_eq!(world.labels("SLICE(SORT(METRICS(), AVG, ASC), 1)"), ["m1"]);
    assert_eq!(world.labels("SORT(METRICS(), MAX, DESC, 1)"), ["m2"]);
}
