use std::fmt::Display;

use super::{ADAPTIVE_WAIT_MS, BAKE_MS, Judged, Plan, Ramp, RampStep, Rules, WAIT_MS};

/// The largest first weight that the standard knows, percent.
const FIRST_PERCENT_MAX: f64 = 10.0;

/// What whoever promotes on pairs takes for granted.
const PAIRS: &str = "promotion may rest on mirrored requests or probes instead of the canary's own traffic, \
                     which they must be like";

pub(super) fn deviations(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    waits(plan.steps(), plan.ramp(), &mut found);
    rules(plan.rules(), &mut found);
    found.extend(plan.ramp().into_iter().flat_map(ramp));
    found.extend(judged(plan.judged()));
    found
}

fn ramp(ramp: &Ramp) -> Vec<String> {
    let standard = Ramp::default();
    let mut found = Vec::new();
    if ramp.failures_per_look != standard.failures_per_look {
        let (own, usual) = (ramp.failures_per_look, standard.failures_per_look);
        found.push(format!("blast radius {own} failures per look instead of {usual}"));
    }
    if ramp.first_percent > standard.first_percent {
        let (own, usual) = (ramp.first_percent.get(), standard.first_percent.get());
        found.push(format!("ramp begins at {own} % instead of {usual} %"));
    }
    found
}

fn judged(judged: &Judged) -> Vec<String> {
    let pairs = judged.pairs.then(|| PAIRS.to_owned());
    pairs.into_iter().chain(judged.latency.iter().flat_map(latency)).collect()
}

fn latency(latency: &super::Latency) -> Vec<String> {
    let standard = super::Latency::default();
    let margins = [
        ("margin above the p50", latency.body_margin, standard.body_margin),
        ("margin above the p99", latency.tail_margin, standard.tail_margin),
    ];
    let mut found = Vec::new();
    if latency.slower_by != standard.slower_by {
        let (own, usual) = (percent(latency.slower_by), percent(standard.slower_by));
        found.push(format!("slower by {own} accepted instead of {usual}"));
    }
    let differing = margins.into_iter().filter(|(_, own, usual)| own != usual);
    let words = |(name, own, usual)| format!("{name} {} instead of {}", points(own), points(usual));
    found.extend(differing.map(words));
    found
}

/// Longer waits than usual need no excuse.
fn waits(steps: &[RampStep], ramp: Option<&Ramp>, found: &mut Vec<String>) {
    let first = steps[0].percent.get();
    let wait_ms = if ramp.is_some() { ADAPTIVE_WAIT_MS } else { WAIT_MS };
    if first > FIRST_PERCENT_MAX && ramp.is_none() {
        found.push(format!("first step {first} % instead of at most {FIRST_PERCENT_MAX} %"));
    }
    let (bake, before) = steps.split_last().expect("a plan has steps");
    for step in before.iter().filter(|step| step.wait_ms < wait_ms) {
        let percent = step.percent.get();
        found.push(format!("wait at {percent} % {} instead of {}", seconds(step.wait_ms), seconds(wait_ms)));
    }
    if bake.wait_ms < BAKE_MS {
        found.push(format!("bake {} instead of {}", seconds(bake.wait_ms), seconds(BAKE_MS)));
    }
}

fn rules(rules: &Rules, found: &mut Vec<String>) {
    let standard = Rules::default();
    let mut say = |name: &str, own: String, usual: String| {
        if own != usual {
            found.push(format!("{name} {own} instead of {usual}"));
        }
    };
    say("margin", points(rules.margin), points(standard.margin));
    say("false rollback chance", percent(rules.alpha_rollback), percent(standard.alpha_rollback));
    say("false promotion chance", percent(rules.alpha_promote), percent(standard.alpha_promote));
    say("error budget at 100 %", percent(rules.budget), percent(standard.budget));
    let requests = |count: u64| format!("{count} requests");
    say(
        "canary requests per step",
        requests(rules.canary_requests_min),
        requests(standard.canary_requests_min),
    );
    say("longest duration", seconds(rules.max_duration_ms), seconds(standard.max_duration_ms));
    say("target's deadline", seconds(rules.deadline_ms), seconds(standard.deadline_ms));
    say("look every", seconds(rules.interval_ms), seconds(standard.interval_ms));
}

fn seconds(ms: u64) -> String {
    format!("{} s", ms as f64 / 1e3)
}

fn points(difference: f64) -> String {
    format!("{} pp", hundredfold(difference))
}

fn percent(share: f64) -> String {
    format!("{} %", hundredfold(share))
}

/// Six decimals at most, without the tail that binary fractions grow.
fn hundredfold(value: f64) -> impl Display {
    (value * 1e6).round() / 1e4
}
