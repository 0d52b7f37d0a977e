use std::fmt::Display;

use super::{BAKE_MS, Plan, RampStep, Rules, WAIT_MS};

/// The largest first weight that the standard knows, percent.
const FIRST_PERCENT_MAX: f64 = 10.0;

pub(super) fn deviations(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    waits(plan.steps(), &mut found);
    rules(plan.rules(), &mut found);
    found
}

/// Longer waits than usual need no excuse.
fn waits(steps: &[RampStep], found: &mut Vec<String>) {
    let first = steps[0].percent.get();
    if first > FIRST_PERCENT_MAX {
        found.push(format!("first step {first} % instead of at most {FIRST_PERCENT_MAX} %"));
    }
    let (bake, ramp) = steps.split_last().expect("a plan has steps");
    for step in ramp.iter().filter(|step| step.wait_ms < WAIT_MS) {
        let percent = step.percent.get();
        found.push(format!("wait at {percent} % {} instead of {}", seconds(step.wait_ms), seconds(WAIT_MS)));
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
