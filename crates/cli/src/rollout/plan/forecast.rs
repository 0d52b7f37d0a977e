//! Releases that never were, through the planner that would decide them.

use pitbird_analysis::{Arm, Bucket, RouteBucket, Slow, Timed};
use pitbird_names::Percent;
use pitbird_rollout::plan::{HISTORY_PATIENCE_MS, HISTORY_REQUESTS, HISTORY_REQUESTS_MIN, LATENCY_HISTORY};
use pitbird_rollout::{
    Action, Alarm, AlarmState, Check, Command, Evidence, Note, Observed, ObservedCeiling, ObservedLatency,
    ObservedRoute, Outcome, Plan, Step, Turn, applied, begin, next,
};
use pitbird_simulation::draws::Draws;
use pitbird_simulation::model::answered;
use serde_json::{Value as Json, json};

/// Looks that one kind of release may take in all its runs; the runs that don't fit are left out, and it is said how many
/// were made.
pub const LOOKS_MAX: u64 = 60_000;
/// What the base has behind it when a rollout begins, seconds of traffic and requests.
const HISTORY_S: f64 = 600.0;
const HISTORY_MAX: f64 = 10_000.0;
/// Probes where the plan doesn't say how many.
pub const PROBES_PER_SECOND: f64 = 5.0;
/// Of all requests, those above the base's p50, p90, p99 and p99.9.
const ABOVE: [f64; 4] = [0.5, 0.1, 0.01, 0.001];

/// Steady traffic, and how often the arms fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    pub per_second: f64,
    pub base_errors: f64,
    pub canary_errors: f64,
    pub pairs: Pairing,
}

/// Requests that both arms answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pairing {
    /// Of the base's requests, those that the canary gets as well, 0 to 1.
    pub mirrored: f64,
    pub probes_per_second: f64,
}

impl Pairing {
    /// Of StartRollout's input.
    pub fn of(input: &Json) -> Pairing {
        let probes = &input["Probes"];
        let usual = if probes.is_object() { PROBES_PER_SECOND } else { 0.0 };
        Pairing {
            mirrored: input["Mirror"].as_f64().unwrap_or_default() / 100.0,
            probes_per_second: probes["PerSecond"].as_f64().unwrap_or(usual),
        }
    }

    /// How many there are in a time, milliseconds, in which the base has these requests.
    fn count(self, draws: &mut Draws, (from_ms, until_ms): (u64, u64), base: u64) -> u64 {
        let probes = |ms: u64| (self.probes_per_second * ms as f64 / 1e3) as u64;
        let mirrored = if self.mirrored > 0.0 { draws.binomial(base, self.mirrored) } else { 0 };
        mirrored + probes(until_ms) - probes(from_ms)
    }
}

/// How one release went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    pub outcome: Outcome,
    /// From the beginning to the end.
    pub took_ms: u64,
    /// Since the first shift.
    pub requests: u64,
    pub canary_requests: u64,
    pub canary_failures: u64,
}

/// How releases with one kind of traffic went.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    pub traffic: Traffic,
    pub runs: Vec<Run>,
    /// How many were wanted.
    pub wanted: u32,
}

pub fn forecast(plan: &Plan, traffic: Traffic, seed: u64, wanted: u32) -> Forecast {
    let mut looks_left = LOOKS_MAX;
    let run = |number| release(plan, traffic, Draws::new(seed, "plan", u64::from(number)), &mut looks_left);
    let runs = (0..wanted).map_while(run).collect();
    Forecast { traffic, runs, wanted }
}

/// One release; none where it takes more looks than are left.
fn release(plan: &Plan, traffic: Traffic, mut draws: Draws, looks_left: &mut u64) -> Option<Run> {
    let known = (HISTORY_S * traffic.per_second).min(HISTORY_MAX);
    let history = Arm::new(known as u64, (known * traffic.base_errors) as u64).expect("errors are requests");
    let mut turn = begin(plan, history, 0);
    let (mut requests, mut seen) = (0, Arm::default());
    let look_ms = plan.rules().interval_ms;
    for look in 1_u64.. {
        let now_ms = look * look_ms;
        turn = act(plan, turn, now_ms - look_ms);
        if let Some(outcome) = turn.state.outcome() {
            let (canary_requests, canary_failures) = (seen.requests(), seen.events());
            return Some(Run {
                outcome,
                took_ms: now_ms - look_ms,
                requests,
                canary_requests,
                canary_failures,
            });
        }
        *looks_left = looks_left.checked_sub(1)?;
        let mut evidence = around(plan, traffic, now_ms);
        if turn.state.generation() > 0 {
            let weight = turn.state.weight();
            let bucket = pass(&mut draws, traffic, look_ms, weight);
            requests += bucket.canary.requests() + bucket.base.requests();
            seen = seen.plus(bucket.canary);
            tell(plan, &mut draws, &mut evidence, weight, bucket);
            let time = (now_ms - look_ms, now_ms);
            let pairs = traffic.pairs.count(&mut draws, time, bucket.base.requests());
            if pairs > 0 {
                evidence.pairs = answered(&mut draws, pairs, traffic.canary_errors, traffic.base_errors);
            }
        }
        let open = Command { number: look, by: Note::from("forecast"), action: Action::Resume };
        let orders: Vec<Command> = turn.state.gate_until_ms(plan).map(|_| open).into_iter().collect();
        turn = next(plan, &turn.state, &evidence, &orders, now_ms);
    }
    None
}

/// The executor does at once what it is told.
fn act(plan: &Plan, mut turn: Turn, now_ms: u64) -> Turn {
    while matches!(turn.step, Step::ShiftTo { .. } | Step::RollBack { .. } | Step::Promote { .. }) {
        turn = applied(plan, &turn.state, turn.state.generation(), now_ms);
    }
    turn
}

/// Alarms keep quiet; the base's latency is known when enough requests have come.
fn around(plan: &Plan, traffic: Traffic, now_ms: u64) -> Evidence {
    let known = traffic.per_second * now_ms as f64 / 1e3;
    let is_late = now_ms >= HISTORY_PATIENCE_MS;
    let passed = known >= HISTORY_REQUESTS as f64 || (is_late && known >= HISTORY_REQUESTS_MIN as f64);
    let checks = plan.rules().checks.iter().filter(|check| passed || *check != LATENCY_HISTORY);
    let alarm = |name: &String| Alarm { name: name.clone(), state: AlarmState::Ok };
    Evidence {
        alarms: plan.rules().alarms.iter().map(alarm).collect(),
        checks: checks.map(|name| Check { name: name.clone(), passed: true }).collect(),
        ..Evidence::default()
    }
}

fn pass(draws: &mut Draws, traffic: Traffic, for_ms: u64, weight: Percent) -> Bucket {
    let all = draws.poisson(traffic.per_second * for_ms as f64 / 1e3);
    let n_c = draws.binomial(all, weight.get() / 100.0);
    let k_c = draws.binomial(n_c, traffic.canary_errors);
    let k_b = draws.binomial(all - n_c, traffic.base_errors);
    Bucket::new(n_c, k_c, all - n_c, k_b).expect("errors are requests")
}

/// What a look sees of it: latencies as on the base, within all limits, and each route with an even part.
fn tell(plan: &Plan, draws: &mut Draws, evidence: &mut Evidence, weight: Percent, bucket: Bucket) {
    let percent = weight;
    evidence.buckets.push(Observed { percent, bucket });
    if plan.judged().latency.is_some() {
        let mut slow = |arm: Arm| {
            let (mut left, mut before, mut above) = (arm.requests(), 1.0, [0; 4]);
            for (count, share) in above.iter_mut().zip(ABOVE) {
                *count = draws.binomial(left, share / before);
                (left, before) = (*count, share);
            }
            Slow::new(arm.requests(), above).expect("they fall")
        };
        let timed = Timed { canary: slow(bucket.canary), base: slow(bucket.base) };
        evidence.latency.push(ObservedLatency { percent, timed });
    }
    for ceiling in 0..plan.guardrails().latency.len() {
        let within = |arm: Arm| Arm::new(arm.requests(), 0).expect("none");
        let bucket = Bucket { canary: within(bucket.canary), base: within(bucket.base) };
        evidence.ceilings.push(ObservedCeiling { ceiling, bucket });
    }
    let (routes, mut left) = (&plan.judged().routes, bucket);
    for (at, route) in routes.iter().enumerate() {
        let errors = part(draws, &mut left, 1.0 / (routes.len() - at) as f64);
        let bucket = RouteBucket { errors, ..RouteBucket::default() };
        evidence.routes.push(ObservedRoute { percent, route: route.clone(), bucket });
    }
}

/// Takes a share of what is left.
fn part(draws: &mut Draws, left: &mut Bucket, share: f64) -> Bucket {
    let mut of = |arm: &mut Arm| {
        let (quiet, events) = (arm.requests() - arm.events(), arm.events());
        let taken = (draws.binomial(quiet, share), draws.binomial(events, share));
        let sum = |quiet: u64, events: u64| Arm::new(quiet + events, events).expect("errors are requests");
        *arm = sum(quiet - taken.0, events - taken.1);
        sum(taken.0, taken.1)
    };
    Bucket { canary: of(&mut left.canary), base: of(&mut left.base) }
}

impl Forecast {
    pub fn count(&self, outcome: Outcome) -> usize {
        self.runs.iter().filter(|run| run.outcome == outcome).count()
    }

    /// Of the runs that ended as most did: how often that was, and their middle and ninth tenth.
    pub fn usual(&self) -> Option<Usual> {
        let ends = [
            Outcome::RolledBack,
            Outcome::Promoted,
            Outcome::Inconclusive,
            Outcome::Failed,
            Outcome::TimedOut,
        ];
        let outcome = ends.into_iter().rev().max_by_key(|outcome| self.count(*outcome))?;
        let runs = || self.runs.iter().filter(|run| run.outcome == outcome);
        let at = |share: f64, value: fn(&Run) -> u64| {
            let mut values: Vec<u64> = runs().map(value).collect();
            values.sort_unstable();
            let place = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1));
            values.get(place - 1).copied()
        };
        Some(Usual {
            outcome,
            took_ms: at(0.5, |run| run.took_ms)?,
            took_ms_p90: at(0.9, |run| run.took_ms)?,
            requests: at(0.5, |run| run.requests)?,
            canary_requests: at(0.5, |run| run.canary_requests)?,
            canary_failures: at(0.5, |run| run.canary_failures)?,
        })
    }

    pub fn to_json(&self) -> Json {
        let usual = self.usual().map(|usual| {
            json!({
                "Outcome": usual.outcome.to_string(),
                "TookMs": usual.took_ms,
                "TookMsP90": usual.took_ms_p90,
                "Requests": usual.requests,
                "CanaryRequests": usual.canary_requests,
                "CanaryFailures": usual.canary_failures,
            })
        });
        json!({
            "CanaryErrors": self.traffic.canary_errors,
            "Runs": self.runs.len(),
            "RunsWanted": self.wanted,
            "RolledBack": self.count(Outcome::RolledBack),
            "Promoted": self.count(Outcome::Promoted),
            "Inconclusive": self.count(Outcome::Inconclusive),
            "Usual": usual,
        })
    }
}

/// How most runs ended, and what it took them: the middle of all, and of the time the ninth tenth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    pub outcome: Outcome,
    pub took_ms: u64,
    pub took_ms_p90: u64,
    pub requests: u64,
    pub canary_requests: u64,
    pub canary_failures: u64,
}
