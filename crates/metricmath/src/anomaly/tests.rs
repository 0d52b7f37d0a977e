use proptest::prelude::*;

use super::*;

const MINUTE_MS: i64 = 60_000;
/// A Thursday's beginning.
const START_MS: i64 = 20_000 * DAY_MS;

/// A value each `step_ms` over so many days.
fn past(days: i64, step_ms: i64, of: impl Fn(i64) -> f64) -> Vec<(i64, f64)> {
    (0..days * DAY_MS / step_ms)
        .map(|step| START_MS + step * step_ms)
        .map(|at_ms| (at_ms, of(at_ms)))
        .collect()
}

fn trained(points: &[(i64, f64)]) -> Model {
    Model::train(&Past { points, ..Past::default() }).expect("enough values")
}

fn is_inside(model: &Model, at_ms: i64, value: f64, deviations: f64) -> bool {
    let Expected { lower, upper } = model.expected(at_ms, deviations);
    (lower..=upper).contains(&value)
}

/// Angle of the time of day.
fn turn(at_ms: i64) -> f64 {
    at_ms.rem_euclid(DAY_MS) as f64 / DAY_MS as f64 * std::f64::consts::TAU
}

#[test]
fn each_hour_of_the_day_has_its_own_values_after_two_days() {
    let busy =
        |at_ms: i64| if (9..17).contains(&(at_ms.div_euclid(HOUR_MS).rem_euclid(24))) { 100.0 } else { 10.0 };
    let points = past(3, MINUTE_MS, busy);
    let model = trained(&points);
    assert_eq!(model.season(), Season::HourOfDay);
    let (night, noon) = (START_MS + 10 * DAY_MS, START_MS + 10 * DAY_MS + 12 * HOUR_MS);
    assert!(is_inside(&model, night, 10.0, 2.0) && !is_inside(&model, night, 100.0, 2.0));
    assert!(is_inside(&model, noon, 100.0, 2.0) && !is_inside(&model, noon, 10.0, 2.0));
    assert_eq!(trained(&points[..1500]).season(), Season::None, "a day is no profile");
}

#[test]
fn weekends_are_told_apart_after_two_weeks() {
    let is_weekend = |at_ms: i64| matches!(at_ms.div_euclid(DAY_MS).rem_euclid(7), 2 | 3);
    let of = |at_ms: i64| if is_weekend(at_ms) { 5.0 } else { 50.0 + 20.0 * turn(at_ms).sin() };
    let model = trained(&past(14, 5 * MINUTE_MS, of));
    assert_eq!(model.season(), Season::HourOfWeek);
    let next = past(21, 5 * MINUTE_MS, of).split_off(14 * 288);
    let outside = next.iter().filter(|(at_ms, value)| !is_inside(&model, *at_ms, *value, 2.0)).count();
    assert!(outside * 50 < next.len(), "{outside} of {}", next.len());
}

#[test]
fn what_was_odd_once_is_odd_again() {
    let mut points = past(7, MINUTE_MS, |at_ms| 20.0 + (at_ms / MINUTE_MS % 5) as f64);
    points[5000].1 = 1e6;
    let model = trained(&points);
    assert!(is_inside(&model, START_MS + 8 * DAY_MS, 22.0, 2.0));
    assert!(!is_inside(&model, START_MS + 8 * DAY_MS, 60.0, 2.0));
}

#[test]
fn excluded_times_aren_t_trained_on() {
    let odd = START_MS..START_MS + 20 * HOUR_MS;
    let points = past(1, MINUTE_MS, |at_ms| if odd.contains(&at_ms) { 500.0 } else { 1.0 });
    assert!(is_inside(&trained(&points), START_MS + DAY_MS, 500.0, 2.0));
    let excluded = [odd];
    let model =
        Model::train(&Past { points: &points, excluded: &excluded, ..Past::default() }).expect("enough");
    assert!(
        !is_inside(&model, START_MS + DAY_MS, 500.0, 2.0) && is_inside(&model, START_MS + DAY_MS, 1.0, 2.0)
    );
    let all = START_MS..i64::MAX;
    assert_eq!(
        Model::train(&Past { points: &points, excluded: std::slice::from_ref(&all), ..Past::default() }),
        None
    );
}

#[test]
fn spikes_that_come_daily_are_expected_only_where_asked() {
    let spikes = |at_ms: i64| {
        let is_spike = at_ms.rem_euclid(DAY_MS) == 3 * HOUR_MS;
        if is_spike { 90.0 } else { 10.0 + (at_ms / MINUTE_MS % 3) as f64 }
    };
    let points = past(4, MINUTE_MS, spikes);
    let at_ms = START_MS + 9 * DAY_MS + 3 * HOUR_MS;
    assert!(!is_inside(&trained(&points), at_ms, 90.0, 2.0));
    let past = Past { points: &points, has_periodic_spikes: true, ..Past::default() };
    let model = Model::train(&past).expect("enough");
    assert!(is_inside(&model, at_ms, 90.0, 2.0));
    assert!(!is_inside(&model, at_ms, 95.0, 2.0), "no further than they have gone");
    assert!(!is_inside(&model, at_ms + HOUR_MS, 90.0, 2.0), "at their hour only");
}

#[test]
fn a_level_that_has_changed_for_a_day_is_taken_over() {
    let of = |at_ms: i64| if at_ms < START_MS + 8 * DAY_MS { 10.0 } else { 40.0 } + turn(at_ms).sin();
    let model = trained(&past(9, MINUTE_MS, of));
    assert!(is_inside(&model, START_MS + 9 * DAY_MS, 40.0, 2.0));
}

#[test]
fn too_little_tells_nothing() {
    let points = past(1, MINUTE_MS, |_| 1.0);
    for (count, is_enough) in [(0, false), (1, false), (POINTS_MIN - 1, false), (POINTS_MIN, true)] {
        let past = Past { points: &points[..count], ..Past::default() };
        assert_eq!(Model::train(&past).is_some(), is_enough, "{count}");
    }
    let wrong: Vec<(i64, f64)> = points.iter().map(|point| (point.0, f64::NAN)).collect();
    assert_eq!(Model::train(&Past { points: &wrong, ..Past::default() }), None);
}

#[test]
fn what_never_changes_is_expected_exactly() {
    for value in [0.0, 0.1, -7.3, 1e-310, 1e300] {
        let points = past(3, MINUTE_MS, |_| value);
        assert!(is_inside(&trained(&points), START_MS, value, 2.0), "{value}");
    }
    assert!(!is_inside(&trained(&past(3, MINUTE_MS, |_| 0.0)), START_MS, 1.0, 100.0));
}

proptest! {
    /// A signal of a day's period, with some noise, stays inside nearly always; far outside it never does.
    #[test]
    fn a_periodic_signal_stays_inside_and_a_step_leaves(
        level in -1e6..1e6_f64, swing in 1.0..1e4_f64, phase in 0.0..std::f64::consts::TAU, noise in 0.0..0.3_f64, seed in 0..1000_i64,
    ) {
        let of = |at_ms: i64| {
            let draw = ((at_ms / MINUTE_MS * 7919 + seed * 104_729).rem_euclid(2001) - 1000) as f64 / 1000.0;
            level + swing * (turn(at_ms) + phase).sin() + swing * noise * draw
        };
        let model = trained(&past(5, 5 * MINUTE_MS, of));
        let next = past(6, 5 * MINUTE_MS, of).split_off(5 * 288);
        let inside = next.iter().filter(|(at_ms, value)| is_inside(&model, *at_ms, *value, 2.0)).count();
        prop_assert!(inside * 100 >= next.len() * 95, "{} of {}", inside, next.len());
        let step = 10.0 * swing + 0.1 * level.abs();
        let leaves = next.iter().all(|(at_ms, value)| !is_inside(&model, *at_ms, *value + step, 2.0));
        prop_assert!(leaves);
    }

    /// Whatever comes, bounds are finite and in order, and the same past gives the same model.
    #[test]
    fn any_past_gives_finite_bounds(
        mut points in prop::collection::vec((any::<i64>(), prop::num::f64::ANY), 0..200),
        has_periodic_spikes: bool, at_ms: i64, deviations in prop::num::f64::ANY,
    ) {
        points.sort_by_key(|point| point.0);
        let past = Past { points: &points, has_periodic_spikes, ..Past::default() };
        let model = Model::train(&past);
        prop_assert_eq!(&model, &Model::train(&past));
        if let Some(model) = model {
            let Expected { lower, upper } = model.expected(at_ms, deviations);
            prop_assert!(lower.is_finite() && upper.is_finite() && lower <= upper);
        }
    }

    #[test]
    fn a_wider_band_holds_a_narrower_one(values in prop::collection::vec(-1e9..1e9_f64, 15..100), narrow in 0.1..5.0_f64, more in 0.0..5.0_f64) {
        let points: Vec<(i64, f64)> = values.iter().enumerate().map(|(n, value)| (n as i64 * MINUTE_MS, *value)).collect();
        let model = trained(&points);
        let (one, other) = (model.expected(0, narrow), model.expected(0, narrow + more));
        prop_assert!(other.lower <= one.lower && one.upper <= other.upper);
    }
}
