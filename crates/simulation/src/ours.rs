//! A release by the real planner, with an executor that always does at once what it is told.

use pitbird_analysis::Arm;
use pitbird_names::Percent;
use pitbird_rollout::{
    Evidence, Judged, Latency, Observed, ObservedFirsts, ObservedLatency, ObservedRoute, Outcome, Phase,
    Plan, Ramp, RampStep, Rules, Step, Target, TargetKind, Turn, applied, begin, next,
};

use crate::ending::{End, Ending};
use crate::model::{Fault, Model, ROUTES, Shape, World};

/// How long a rollback takes until it is live, seconds.
const LIVE_S: f64 = 0.05;

/// What is asked of the planner.
#[derive(Debug, Clone)]
pub struct Wish {
    pub margin: f64,
    /// How far the ramp goes before the evidence suffices, percent.
    pub ceiling: f64,
    /// The shortest time to compare, and that with most of the traffic, ms.
    pub wait_ms: u64,
    pub bake_ms: u64,
    pub interval_ms: u64,
    pub longest_ms: u64,
}

impl Default for Wish {
    fn default() -> Self {
        Wish {
            margin: 0.005,
            ceiling: 50.0,
            wait_ms: 60_000,
            bake_ms: 600_000,
            interval_ms: 1_000,
            longest_ms: 3_600_000,
        }
    }
}

impl Wish {
    pub fn plan(&self, model: &Model) -> Plan {
        let step = |percent, wait_ms| RampStep::new(Percent::new(percent).expect("a percentage"), wait_ms);
        let rules = Rules {
            margin: self.margin,
            interval_ms: self.interval_ms,
            max_duration_ms: self.longest_ms,
            ..Rules::default()
        };
        let target = Target { kind: TargetKind::StageCanary, description: model.name.into() };
        let routes = if model.has_routes { (0..ROUTES).map(route).collect() } else { Vec::new() };
        let pairs = model.pairs_per_second > 0.0;
        let latency = (!model.has_routes && !pairs).then(Latency::default);
        let judged = Judged { latency, routes, users: model.shape == Shape::Users, pairs };
        let steps = vec![step(self.ceiling, self.wait_ms), step(95.0, self.bake_ms)];
        let plan = Plan::new(target, steps, rules).and_then(|plan| plan.with(Some(Ramp::default()), judged));
        plan.expect("a plan within the limits")
    }
}

/// One release from its beginning to its end.
pub fn release(model: &Model, plan: &Plan, seed: u64, run: u64) -> Ending {
    let mut world = World::new(model, seed, run);
    let known = (600.0 * model.per_second).max(200.0);
    let history = Arm::new(known as u64, (known * model.errors) as u64).expect("errors are requests");
    let mut turn = begin(plan, history, 0);
    let mut ending = Ending { onset_s: world.onset_s(), ..Ending::default() };
    let look_s = plan.rules().interval_ms as f64 / 1e3;
    for look in 1_u64.. {
        let (now_ms, at_s) = (look * plan.rules().interval_ms, (look - 1) as f64 * look_s);
        turn = act(plan, turn, now_ms - plan.rules().interval_ms);
        if let Some(outcome) = turn.state.outcome() {
            ending.end = match outcome {
                Outcome::Promoted => End::Promoted,
                Outcome::RolledBack => End::RolledBack,
                _ => End::Held,
            };
            ending.end_s = at_s;
            if ending.end == End::Promoted && model.fault != Fault::NONE {
                rest_of_hour(&mut world, &mut ending);
            }
            return ending;
        }
        let weight = turn.state.weight();
        if weight.get() > 50.0 && ending.full_s.is_none() {
            ending.full_s = Some(at_s);
        }
        let seen = world.pass(at_s, look_s, weight.get() / 100.0);
        ending.add(&seen);
        turn = next(plan, &turn.state, &evidence(model, &seen, weight), &[], now_ms);
        if matches!(turn.state.phase(), Phase::RollingBack { .. }) {
            ending.add(&world.pass(at_s + look_s, LIVE_S, weight.get() / 100.0));
        }
    }
    ending
}

/// A promoted canary that is bad goes on doing harm, which is counted for an hour as it is with the peers.
fn rest_of_hour(world: &mut World<'_>, ending: &mut Ending) {
    let mut at_s = ending.end_s;
    while at_s < 3_600.0 {
        ending.add(&world.pass(at_s, 60.0, 1.0));
        at_s += 60.0;
    }
}

fn act(plan: &Plan, mut turn: Turn, now_ms: u64) -> Turn {
    while matches!(turn.step, Step::ShiftTo { .. } | Step::RollBack { .. } | Step::Promote { .. }) {
        turn = applied(plan, &turn.state, turn.state.generation(), now_ms);
    }
    turn
}

fn evidence(model: &Model, seen: &crate::model::Seen, weight: Percent) -> Evidence {
    let percent = |share: f64| Percent::new((share * 1e8).round() / 1e6).unwrap_or(weight);
    let by_weight = |(share, bucket): &(f64, _)| Observed {
        percent: if model.has_routes { weight } else { percent(*share) },
        bucket: *bucket,
    };
    let latency = ObservedLatency { percent: weight, timed: seen.timed };
    let by_route =
        |(at, bucket): &(usize, _)| ObservedRoute { percent: weight, route: route(*at), bucket: *bucket };
    let firsts = ObservedFirsts { percent: weight, route: None, firsts: seen.firsts };
    Evidence {
        firsts: if seen.firsts.is_empty() { Vec::new() } else { vec![firsts] },
        buckets: seen.buckets.iter().map(by_weight).collect(),
        latency: if model.has_routes || model.pairs_per_second > 0.0 { Vec::new() } else { vec![latency] },
        pairs: seen.pairs,
        routes: seen.routes.iter().map(by_route).collect(),
        ..Evidence::default()
    }
}

fn route(at: usize) -> String {
    format!("GET /{at}")
}
