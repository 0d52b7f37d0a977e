//! The chances that a plan names are the chances that rollouts have: whole rollouts with drawn traffic, from fixed
//! seeds.
#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use pitbird_analysis::{Arm, Bucket};
use pitbird_names::Percent;
use pitbird_rollout::{
    Evidence, Observed, Outcome, Plan, RampStep, Rules, Target, TargetKind, applied, begin, next,
};

const ROLLOUTS: u64 = 60;
const REQUESTS: u64 = 400;

/// SplitMix64, as numbers in [0, 1).
struct Draws(u64);

impl Draws {
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * 2.0_f64.powi(-53)
    }

    fn second(&mut self, weight: Percent, rates: (f64, f64)) -> Observed {
        let mut counts = [0; 4];
        for _ in 0..REQUESTS {
            let canary = weight.takes(self.draw());
            let failed = self.draw() < if canary { rates.0 } else { rates.1 };
            counts[if canary { 0 } else { 2 }] += 1;
            counts[if canary { 1 } else { 3 }] += u64::from(failed);
        }
        let [n_c, k_c, n_b, k_b] = counts;
        Observed { percent: weight, bucket: Bucket::new(n_c, k_c, n_b, k_b).unwrap() }
    }
}

fn plan() -> Plan {
    let step = |percent| RampStep::new(Percent::new(percent).unwrap(), 3_000);
    let rules = Rules {
        margin: 0.02,
        budget: 0.1,
        max_duration_ms: 60_000,
        canary_requests_min: 50,
        ..Rules::default()
    };
    let target = Target { kind: TargetKind::StageCanary, description: "prod".into() };
    Plan::new(target, vec![step(10.0), step(50.0), step(100.0)], rules).unwrap()
}

fn rollout(plan: &Plan, seed: u64, rates: (f64, f64)) -> Outcome {
    let mut draws = Draws(seed);
    let mut turn = begin(plan, Arm::default(), 0);
    for second in 1.. {
        turn = applied(plan, &turn.state, turn.state.generation(), second * 1000);
        if let Some(outcome) = turn.state.outcome() {
            return outcome;
        }
        let buckets = vec![draws.second(turn.state.weight(), rates)];
        let evidence = Evidence { buckets, ..Evidence::default() };
        turn = next(plan, &turn.state, &evidence, &[], second * 1000);
    }
    unreachable!("a rollout ends at its longest duration")
}

fn outcomes(rates: (f64, f64), wanted: Outcome) -> usize {
    let plan = plan();
    (0..ROLLOUTS).filter(|seed| rollout(&plan, *seed, rates) == wanted).count()
}

#[test]
fn an_equal_canary_is_promoted_and_not_rolled_back() {
    let plan = plan();
    let ends: Vec<Outcome> = (0..ROLLOUTS).map(|seed| rollout(&plan, seed, (0.01, 0.01))).collect();
    let count = |outcome| ends.iter().filter(|end| **end == outcome).count();
    assert_eq!(count(Outcome::RolledBack), 0, "one in a thousand is allowed");
    assert!(count(Outcome::Promoted) > ends.len() * 9 / 10, "{ends:?}");
}

#[test]
fn a_canary_worse_by_the_margin_is_not_promoted() {
    assert!(outcomes((0.03, 0.01), Outcome::Promoted) <= 2, "one in a hundred is allowed");
}

#[test]
fn a_bad_canary_is_rolled_back() {
    assert_eq!(outcomes((0.2, 0.001), Outcome::RolledBack), ROLLOUTS as usize);
}
