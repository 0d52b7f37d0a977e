//! A ramp stays at a tenth while the canary looks worse, and goes on when it no longer does.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use pitbird_analysis::{Arm, Bucket};
use pitbird_names::Percent;
use pitbird_rollout::{
    Evidence, Judged, Observed, Plan, Ramp, RampStep, Rules, Target, TargetKind, applied, begin, next,
};

const PER_SECOND: u64 = 2_000;

fn plan() -> Plan {
    let step = |percent, wait_ms| RampStep::new(Percent::new(percent).unwrap(), wait_ms);
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let steps = vec![step(50.0, 600_000), step(95.0, 60_000)];
    let rules = Rules { margin: 0.01, ..Rules::default() };
    Plan::new(target, steps, rules)
        .unwrap()
        .with(
            Some(Ramp { failures_per_look: 100.0, first_percent: Percent::new(2.0).unwrap() }),
            Judged::default(),
        )
        .unwrap()
}

/// The weight after each second; in a second both arms fail as often as `rates` says of it, canary first, as exactly as whole
/// requests allow.
fn weights(seconds: u64, rates: impl Fn(u64) -> (f64, f64)) -> Vec<f64> {
    let plan = plan();
    let mut turn = begin(&plan, Arm::new(100_000, 2_000).unwrap(), 0);
    let (mut weights, mut owed) = (Vec::new(), (0.0, 0.0));
    for second in 1..=seconds {
        turn = applied(&plan, &turn.state, turn.state.generation(), second * 1000);
        let percent = turn.state.weight();
        weights.push(percent.get());
        let n_c = (PER_SECOND as f64 * percent.get() / 100.0).round() as u64;
        let (canary, base) = rates(second);
        let whole = |owed: &mut f64, requests: u64, rate: f64| {
            *owed += requests as f64 * rate;
            let failed = owed.floor().max(0.0);
            *owed -= failed;
            failed as u64
        };
        let n_b = PER_SECOND - n_c;
        let (k_c, k_b) = (whole(&mut owed.0, n_c, canary), whole(&mut owed.1, n_b, base));
        let bucket = Bucket::new(n_c, k_c, n_b, k_b).unwrap();
        let evidence = Evidence { buckets: vec![Observed { percent, bucket }], ..Evidence::default() };
        turn = next(&plan, &turn.state, &evidence, &[], second * 1000);
    }
    weights
}

fn most(weights: &[f64]) -> f64 {
    weights.iter().copied().fold(0.0, f64::max)
}

#[test]
fn a_canary_that_looks_worse_by_more_than_half_the_margin_stays_at_a_tenth() {
    let weights = weights(20, |_| (0.03, 0.02));
    assert_eq!(most(&weights), 10.0, "{weights:?}");
    assert_eq!(weights.last(), Some(&10.0), "{weights:?}");
}

#[test]
fn one_that_looks_nearer_to_the_base_goes_on() {
    let weights = weights(20, |_| (0.022, 0.02));
    assert!(most(&weights) > 45.0, "{weights:?}");
}

#[test]
fn one_that_looked_worse_goes_on_when_it_no_longer_does() {
    let weights = weights(100, |second| if second <= 15 { (0.03, 0.02) } else { (0.02, 0.02) });
    assert_eq!(most(&weights[..15]), 10.0, "{weights:?}");
    assert!(most(&weights) > 45.0, "{weights:?}");
}

#[test]
fn one_that_begins_to_look_worse_goes_back() {
    let weights = weights(30, |second| if second <= 10 { (0.02, 0.02) } else { (0.05, 0.02) });
    assert!(most(&weights[..11]) > 45.0, "{weights:?}");
    assert!(weights[11..].contains(&10.0), "{weights:?}");
}

#[test]
fn what_both_arms_suffer_while_the_weight_rises_holds_nobody() {
    let rate = |second: u64| 0.02 + 0.01 * second.min(30) as f64;
    let weights = weights(60, |second| (rate(second), rate(second)));
    assert!(most(&weights) > 45.0, "{weights:?}");
}
