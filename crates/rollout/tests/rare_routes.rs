//! A ramp waits at a tenth for routes that the canary has hardly met.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use pitbird_analysis::{Arm, Bucket, RouteBucket};
use pitbird_names::Percent;
use pitbird_rollout::{
    Evidence, Judged, Observed, ObservedRoute, Plan, Ramp, RampStep, Rules, Target, TargetKind, applied,
    begin, next,
};

const RARE: &str = "GET /rare";

fn plan() -> Plan {
    let step = |percent, wait_ms| RampStep::new(Percent::new(percent).unwrap(), wait_ms);
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    let judged = Judged { routes: vec![RARE.into()], ..Judged::default() };
    let plan = Plan::new(target, vec![step(50.0, 60_000), step(95.0, 60_000)], Rules::default()).unwrap();
    plan.with(Some(Ramp::default()), judged).unwrap()
}

/// The weight after each of 90 seconds, where nothing ever fails; of the rare route each arm has so many requests a second.
fn weights(canary: u64, base: u64) -> Vec<f64> {
    let plan = plan();
    let mut turn = begin(&plan, Arm::default(), 0);
    let mut weights = Vec::new();
    for second in 1..=90 {
        turn = applied(&plan, &turn.state, turn.state.generation(), second * 1000);
        let percent = turn.state.weight();
        weights.push(percent.get());
        let n_c = (10.0 * percent.get()).round() as u64;
        let is_shifted = n_c > 0;
        let bucket = Bucket::new(n_c, 0, 1000 - n_c, 0).unwrap();
        let errors = Bucket::new(if is_shifted { canary } else { 0 }, 0, base, 0).unwrap();
        let route = ObservedRoute {
            percent,
            route: RARE.into(),
            bucket: RouteBucket { errors, ..Default::default() },
        };
        let evidence = Evidence {
            buckets: vec![Observed { percent, bucket }],
            routes: vec![route],
            ..Evidence::default()
        };
        turn = next(&plan, &turn.state, &evidence, &[], second * 1000);
    }
    weights
}

fn most(weights: &[f64]) -> f64 {
    weights.iter().copied().fold(0.0, f64::max)
}

#[test]
fn a_route_that_the_canary_never_met_holds_the_ramp_at_a_tenth_while_the_step_waits() {
    let weights = weights(0, 1);
    assert_eq!(most(&weights[..60]), 10.0, "{weights:?}");
    assert!(most(&weights) >= 50.0, "{weights:?}");
}

#[test]
fn a_route_that_was_answered_or_has_no_requests_holds_nothing() {
    for (canary, base) in [(1, 1), (0, 0)] {
        let weights = weights(canary, base);
        assert!(most(&weights[..60]) >= 50.0, "{canary} {base}: {weights:?}");
    }
}
