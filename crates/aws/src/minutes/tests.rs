use super::*;

const START_MS: u64 = 1_700_000_040_000;

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

fn shift(value: f64, decided_ms: u64, live_ms: Option<u64>) -> Shift {
    Shift { percent: percent(value), decided_ms, live_ms }
}

fn minute(all: (u64, u64), canary: (u64, u64)) -> Minute {
    let sums = |(requests, failures)| Sums { requests, failures };
    Minute { all: sums(all), canary: sums(canary) }
}

/// Minutes from the start on.
fn series(minutes: &[Minute]) -> BTreeMap<u64, Minute> {
    let at = |(i, minute): (usize, &Minute)| (START_MS + i as u64 * MINUTE_MS, *minute);
    minutes.iter().enumerate().map(at).collect()
}

/// At 10 % since long before the start.
fn steady() -> Vec<Shift> {
    vec![shift(10.0, START_MS - 50_000, Some(START_MS - 10_000))]
}

#[test]
fn a_minute_counts_once_and_when_it_has_been_quiet() {
    let mut meter = Meter::new(START_MS + 1, LAG_MS);
    let (shifts, read) = (steady(), series(&[minute((100, 3), (10, 1))]));
    let end_ms = START_MS + MINUTE_MS;
    assert!(meter.wanted(end_ms - 1).is_empty(), "it isn't over");
    assert_eq!(meter.read(&read, &shifts, end_ms + 1000), [], "it may still change");
    assert_eq!(meter.read(&read, &shifts, end_ms + 1000 + QUIET_MS - 1), []);
    let counted = meter.read(&read, &shifts, end_ms + 1000 + QUIET_MS);
    let bucket = Bucket::new(10, 1, 90, 2).unwrap();
    assert_eq!(counted, [Observed { percent: percent(10.0), bucket }]);
    assert_eq!(meter.read(&read, &shifts, end_ms + 1000 + QUIET_MS), [], "not twice");
    assert_eq!(meter.left_out, 0);
}

#[test]
fn what_goes_on_changing_counts_when_the_lag_is_over() {
    let mut meter = Meter::new(START_MS, LAG_MS);
    let (shifts, end_ms) = (steady(), START_MS + MINUTE_MS);
    let mut counted = Vec::new();
    for late_ms in (0..=LAG_MS).step_by(20_000) {
        assert_eq!(counted, []);
        let read = series(&[minute((100 + late_ms / 1000, 0), (10, 0))]);
        counted = meter.read(&read, &shifts, end_ms + late_ms);
    }
    assert_eq!(counted[0].bucket, Bucket::new(10, 0, 90 + LAG_MS / 1000, 0).unwrap());
}

#[test]
fn an_arm_that_is_missing_is_waited_for() {
    let (shifts, end_ms) = (steady(), START_MS + MINUTE_MS);
    for lame in [minute((90, 0), (0, 0)), minute((0, 0), (10, 0)), minute((5, 0), (10, 0)), Minute::default()]
    {
        let mut meter = Meter::new(START_MS, LAG_MS);
        let read = series(&[lame]);
        assert_eq!(meter.read(&read, &shifts, end_ms), []);
        assert_eq!(meter.read(&read, &shifts, end_ms + LAG_MS - 1), []);
        assert_eq!(meter.next_ms, START_MS);
        meter.read(&read, &shifts, end_ms + LAG_MS);
        assert_eq!(meter.next_ms, end_ms, "in the end it is taken as it is");
    }
}

#[test]
fn sums_that_contradict_each_other_are_left_out() {
    let mut meter = Meter::new(START_MS, LAG_MS);
    let read = series(&[minute((5, 0), (10, 0))]);
    assert_eq!(meter.read(&read, &steady(), START_MS + MINUTE_MS + LAG_MS), []);
    assert_eq!(meter.left_out, 1);
}

#[test]
fn a_minute_with_two_weights_belongs_to_none() {
    let second = |second: u64| START_MS + second * 1000;
    let same = minute((100, 0), (10, 0));
    let read = series(&[same; 5]);
    // From 10 % to 50 % in the third minute; the last answer came after its end.
    let shifts = [steady()[0], shift(50.0, second(124), Some(second(181)))];
    let mut meter = Meter::new(START_MS, LAG_MS);
    let counted = meter.read(&read, &shifts, second(300) + LAG_MS);
    let percents: Vec<f64> = counted.iter().map(|seen| seen.percent.get()).collect();
    assert_eq!(
        percents,
        [10.0, 50.0],
        "the second ends where the clocks may differ; the fourth begins within the spread"
    );
    assert_eq!(meter.left_out, 3);
}

#[test]
fn what_was_decided_but_never_confirmed_makes_minutes_doubtful() {
    let shifts = [steady()[0], shift(50.0, START_MS + 1000, None)];
    let mut meter = Meter::new(START_MS, LAG_MS);
    let counted =
        meter.read(&series(&[minute((100, 0), (10, 0)); 3]), &shifts, START_MS + 3 * MINUTE_MS + LAG_MS);
    assert_eq!((counted.len(), meter.left_out), (0, 3));
}

#[test]
fn minutes_before_the_first_shift_are_no_evidence() {
    let shifts = [shift(0.0, 0, Some(0)), shift(10.0, START_MS + 200_000, Some(START_MS + 201_000))];
    let mut meter = Meter::new(START_MS, LAG_MS);
    assert_eq!(meter.read(&series(&[minute((100, 9), (0, 0))]), &shifts, START_MS + MINUTE_MS + LAG_MS), []);
    assert_eq!(meter.left_out, 0);
}

#[test]
fn a_meter_goes_on_where_it_was_written_down() {
    let (shifts, read) = (steady(), series(&[minute((100, 0), (10, 0)); 9]));
    let (mut whole, mut broken) = (Meter::new(START_MS, LAG_MS), Meter::new(START_MS, LAG_MS));
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for now_ms in (START_MS..START_MS + 12 * MINUTE_MS).step_by(7_000) {
        a.extend(whole.read(&read, &shifts, now_ms));
        broken = serde_json::from_str(&serde_json::to_string(&broken).unwrap()).unwrap();
        b.extend(broken.read(&read, &shifts, now_ms));
    }
    assert_eq!(a, b);
    assert_eq!(a.len(), 9);
}

#[test]
fn of_a_long_history_the_share_is_kept() {
    let read = series(&[minute((100_000, 1_000), (0, 0)); 3]);
    let history = history(read.values());
    assert_eq!((history.requests(), history.events()), (10_000, 100));
}
