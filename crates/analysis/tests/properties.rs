//! Whatever comes in, numbers come out; and a judgement that was written down and read again goes on bit for bit.

use pitbird_analysis::{
    Arm, Bands, Bucket, ErrorJudge, Excess, HarmBound, LatencyJudge, LatencyMargins, RatioSequence,
    Restarting, ShareTest, SloGuard, Slow, Thresholds, Timed, TwoByTwo, Verdict, combine, dkw, interval,
    threshold,
};
use proptest::prelude::*;

const THRESHOLDS: Thresholds = Thresholds { alpha_rollback: 0.001, alpha_promote: 0.01, margin: 0.005 };

/// Any arm: small, middling and as large as a number gets.
fn arm() -> impl Strategy<Value = Arm> {
    let requests = prop_oneof![0..10_u64, 0..100_000_u64, any::<u64>()];
    let events = prop_oneof![Just(0_u64), 0..10_u64, any::<u64>()];
    (requests, events)
        .prop_map(|(requests, events)| Arm::new(requests, events.min(requests)).expect("capped"))
}

fn bucket() -> impl Strategy<Value = Bucket> {
    (arm(), arm()).prop_map(|(canary, base)| Bucket { canary, base })
}

/// Any answers' times.
fn slow() -> impl Strategy<Value = Slow> {
    let parts = prop::array::uniform4(prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64]);
    (arm(), parts).prop_map(|(arm, parts)| {
        let mut left = arm.requests();
        let above = parts.map(|part| {
            left = left.min((left as f64 * part) as u64);
            left
        });
        Slow::new(arm.requests(), above).expect("falls")
    })
}

fn timed() -> impl Strategy<Value = Timed> {
    (slow(), slow()).prop_map(|(canary, base)| Timed { canary, base })
}

/// Any number, as well as shares.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..=1.0_f64, any::<f64>(), Just(f64::NAN), Just(0.0), Just(1.0), Just(f64::INFINITY)]
}

proptest! {
    #[test]
    fn a_judge_never_yields_a_nan(
        history in arm(), margin in number(), seen in prop::collection::vec((bucket(), number()), 0..12),
        alphas in (number(), number()),
    ) {
        let mut judge = ErrorJudge::new(history, margin);
        for (bucket, weight) in seen {
            judge.observe(bucket, weight);
            judge.restart();
            let thresholds = Thresholds { alpha_rollback: alphas.0, alpha_promote: alphas.1, margin };
            let found = judge.judge(&thresholds);
            let numbers = [found.log_e_worse, found.log_e_not_worse, found.harm_upper, found.log_e_split];
            prop_assert!(numbers.iter().all(|number| number.is_finite()), "{found:?}");
            for seen in [found.canary, found.base] {
                prop_assert!(0.0 <= seen.rate.low && seen.rate.low <= seen.rate.high && seen.rate.high <= 1.0);
            }
            if let Some(ratio) = found.ratio {
                prop_assert!(0.0 < ratio.low && ratio.low <= ratio.high && ratio.high.is_finite(), "{ratio:?}");
            }
        }
    }

    #[test]
    fn no_kernel_yields_a_nan(
        arms in prop::collection::vec(bucket(), 1..6), a in number(), b in number(), c in number(), n in any::<u32>(),
    ) {
        let mut logs = Vec::new();
        for test in [ShareTest::worse(a), ShareTest::better(b), Some(ShareTest::split())] {
            let Some(mut test) = test else { continue };
            for bucket in &arms {
                test.update(bucket.canary.events(), bucket.base.events(), c);
            }
            logs.push(test.log_e());
        }
        for test in [Some(TwoByTwo::new(arms[0].base)), TwoByTwo::at_rate(a)] {
            let Some(mut test) = test else { continue };
            arms.iter().for_each(|bucket| test.update(*bucket));
            logs.push(test.log_e());
        }
        if let Some(mut guard) = SloGuard::new(a) {
            arms.iter().for_each(|bucket| guard.update(bucket.canary));
            logs.push(guard.log_e());
        }
        prop_assert!(logs.iter().all(|log| log.is_finite()), "{logs:?}");
        prop_assert!(!combine(&[(a, b), (b, c)]).is_nan());
        prop_assert!(!dkw::half_width(a, b, c).is_nan());
        prop_assert!(!threshold(a).is_nan());
        let ranks = interval::quantile_ranks(u64::from(n), a, b);
        prop_assert!(ranks.low <= ranks.high && ranks.high <= u64::from(n) + 1, "{ranks:?}");
    }

    #[test]
    fn latency_yields_no_nan_and_goes_on_bit_for_bit(
        seen in prop::collection::vec((timed(), any::<bool>()), 1..12), cut in 0..12_usize,
    ) {
        let mut steady = LatencyJudge::new(LatencyMargins::default());
        let (mut resumed, mut bands) = (steady.clone(), Bands::default());
        for (i, (timed, restart)) in seen.into_iter().enumerate() {
            bands.update(timed);
            for judge in [&mut steady, &mut resumed] {
                judge.observe(timed);
                if restart {
                    judge.restart();
                }
            }
            if i == cut {
                resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
                bands = serde_json::from_str(&serde_json::to_string(&bands).unwrap()).unwrap();
            }
        }
        let found = steady.judge(&THRESHOLDS, LatencyMargins::default());
        let numbers = [found.log_e_slower, found.log_e_bands.unwrap(), bands.log_e(), found.body_upper];
        prop_assert!(numbers.iter().chain(&found.log_e_at).all(|number| number.is_finite()), "{found:?}");
        prop_assert_eq!(found, resumed.judge(&THRESHOLDS, LatencyMargins::default()));
    }

    /// A canary's answer that takes longer is never less evidence against it, a base's never more.
    #[test]
    fn bands_rise_with_each_slower_answer(
        arms in prop::array::uniform2(prop::array::uniform5(0..1_000_u64)), band in 0..4_usize, is_canary in any::<bool>(),
    ) {
        let slow = |[a, b, c, d, e]: [u64; 5]| {
            Slow::new(a + b + c + d + e, [b + c + d + e, c + d + e, d + e, e]).unwrap()
        };
        let log_e = |[canary, base]: [[u64; 5]; 2]| {
            let mut bands = Bands::default();
            bands.update(Timed { canary: slow(canary), base: slow(base) });
            bands.log_e()
        };
        let mut faster = arms;
        let mut slower = arms;
        faster[usize::from(!is_canary)][band] += 1;
        slower[usize::from(!is_canary)][band + 1] += 1;
        let (now, then) = (log_e(faster), log_e(slower));
        prop_assert!(if is_canary { then >= now - 1e-9 } else { then <= now + 1e-9 }, "{now} {then}");
    }

    #[test]
    fn an_excess_is_a_number(seen in prop::collection::vec(bucket(), 0..12), margin in 0.0..1.0_f64) {
        let mut excess = Excess::default();
        seen.iter().for_each(|bucket| excess.add(*bucket));
        let read: Excess = serde_json::from_str(&serde_json::to_string(&excess).unwrap()).unwrap();
        prop_assert_eq!(read, excess);
        prop_assert!(!excess.is_beyond(1.0 + 1e-9));
        prop_assert!(!excess.is_beyond(margin) || excess.is_beyond(margin / 2.0));
    }

    #[test]
    fn a_judge_read_back_goes_on_as_if_it_had_never_stopped(
        history in arm(), seen in prop::collection::vec((bucket(), 0.0..1.0_f64, any::<bool>()), 1..12), cut in 0..12_usize,
    ) {
        let mut steady = ErrorJudge::new(history, 0.05);
        let mut resumed = steady.clone();
        for (i, (bucket, weight, restart)) in seen.into_iter().enumerate() {
            for judge in [&mut steady, &mut resumed] {
                judge.observe(bucket, weight);
                if restart {
                    judge.restart();
                }
            }
            if i == cut {
                resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
            }
        }
        prop_assert_eq!(serde_json::to_string(&steady).unwrap(), serde_json::to_string(&resumed).unwrap());
        prop_assert_eq!(steady.judge(&THRESHOLDS), resumed.judge(&THRESHOLDS));
    }
}

#[test]
fn state_that_is_no_state_is_refused() {
    for (what, text) in [
        ("a judge", r#"{"worse":{"first":"","later":[]}}"#),
        ("a bound", r#"{"margins":"00","logs":"00","peaks":"00"}"#),
    ] {
        assert!(serde_json::from_str::<ErrorJudge>(text).is_err(), "{what}");
        assert!(serde_json::from_str::<HarmBound>(text).is_err(), "{what}");
        assert!(serde_json::from_str::<Restarting>(text).is_err(), "{what}");
    }
}

#[test]
fn a_margin_off_the_grid_is_watched_too() {
    let mut bound = HarmBound::new(Arm::default(), 0.05);
    let bucket = Bucket::new(1, 0, 9, 0).unwrap();
    while bound.upper(0.01) > 0.05 {
        bound.update(bucket);
    }
    assert_eq!(bound.upper(0.01), 0.05);
    assert!(bound.log_e(0.05).unwrap() >= threshold(0.01));
    assert!(bound.log_e(0.045).unwrap() < threshold(0.01));
    assert_eq!(bound.log_e(0.051), None);
    assert_eq!(bound.log_e(0.0), None);
}

#[test]
fn weights_of_a_ratio_sequence_are_bounded() {
    let mut sequence = RatioSequence::default();
    for i in 1..2 * pitbird_analysis::ratio::WEIGHTS_MAX {
        sequence.update(1, 1, i as f64 / 1000.0);
    }
    let kept = serde_json::to_value(&sequence).unwrap()["weights"].as_array().unwrap().len();
    assert_eq!(kept, pitbird_analysis::ratio::WEIGHTS_MAX);
}

/// Of a canary at 10 %, five failures are enough, four are not; three are where it has answered nothing.
#[test]
fn some_errors_on_a_tenth_of_the_traffic_are_worse() {
    for (requests, base, enough) in [(10, 90, 5), (1, 9, 3)] {
        let mut judge = ErrorJudge::new(Arm::default(), 0.005);
        for error in 1..=enough {
            assert_eq!(judge.judge(&THRESHOLDS).verdict, Verdict::Unknown, "before error {error}");
            judge.observe(Bucket::new(requests, 1, base, 0).unwrap(), 0.1);
        }
        assert_eq!(judge.judge(&THRESHOLDS).verdict, Verdict::Worse);
    }
}

#[test]
fn a_good_canary_is_found_not_worse() {
    let mut judge = ErrorJudge::new(Arm::default(), 0.005);
    let mut buckets = 0;
    while judge.judge(&THRESHOLDS).verdict == Verdict::Unknown && buckets < 1000 {
        judge.observe(Bucket::new(10, 0, 90, 0).unwrap(), 0.1);
        buckets += 1;
    }
    assert_eq!(judge.judge(&THRESHOLDS).verdict, Verdict::NotWorse);
    assert!(judge.judge(&THRESHOLDS).harm_upper <= 0.005);
}

#[test]
fn a_split_that_is_not_as_configured_is_noticed() {
    let mut judge = ErrorJudge::new(Arm::default(), 0.005);
    for _ in 0..5 {
        judge.observe(Bucket::new(130, 0, 870, 0).unwrap(), 0.1);
    }
    assert!(judge.judge(&THRESHOLDS).split_broken);
}
