//! A plan for people.

use std::time::Duration;

use pitbird_rollout::{Hook, HookPoint, Outcome, Patience, Plan, WhenBlind, plan};
use serde_json::Value as Json;

use super::forecast::{Forecast, PROBES_PER_SECOND};
use crate::arguments::PlanOptions;
use crate::quantity;
use crate::table;
use crate::watch::{canary, target};

/// What the simulation takes for granted.
pub fn assumes(plan: &Plan) -> String {
    let pairs = if plan.judged().pairs { ASSUMES_OF_PAIRS } else { "" };
    format!("{ASSUMES}{pairs}")
}

const ASSUMES_OF_PAIRS: &str =
    ", of requests that both answer half of the base's failures the canary's as well";
const ASSUMES: &str = "steady traffic whose requests draw their arm one by one, a fault from the first request on, \
                           latencies as on the base and within all limits, routes with an even part each, quiet alarms, \
                           gates that are opened at once, hooks that say go at once, environments that start at once, \
                           ten minutes of history, 10,000 requests at most";

pub fn page(
    input: &Json,
    plan: &Plan,
    names: &Json,
    options: &PlanOptions,
    forecasts: &[Forecast],
) -> String {
    let mut out = String::new();
    let clean = |text: String| text.replace(char::is_control, " ");
    let mut rows = vec![
        vec!["Rollout".to_owned(), clean(input["Name"].as_str().unwrap_or_default().to_owned())],
        vec!["Target".to_owned(), clean(format!("{}{}", target(&input["Target"]), named(names)))],
        vec!["Canary".to_owned(), clean(canary(&input["Canary"]))],
        vec!["Takes".to_owned(), takes(plan)],
    ];
    let deviations = plan.deviations();
    if !deviations.is_empty() {
        rows.push(vec!["Differs".to_owned(), deviations.join("; ")]);
    }
    for row in &rows {
        out += &format!("{:7}  {}\n", row[0], row[1]);
    }
    out += "\nSteps:\n";
    out += &table::columns(&steps(plan, options.rate));
    out += "\nChecks:\n";
    for check in checks(plan) {
        out += &format!("- {}\n", clean(check));
    }
    let given = given(input);
    if !given.is_empty() {
        out += "\nBesides:\n";
    }
    for words in given {
        out += &format!("- {}\n", clean(words));
    }
    if let Some(rate) = options.rate {
        out += &format!(
            "\nForeseen at {rate} requests a second, of the base's {} % failing:\n",
            hundredfold(options.base_errors)
        );
        out += &table::columns(&foreseen(forecasts));
        out += &format!(
            "Simulated through the planner itself, seed {}: {}. Time is the middle of the runs that ended so, and \
             the ninth tenth.\n",
            options.seed,
            assumes(plan)
        );
    }
    out
}

/// ` (checkout), deployment d1 now`.
fn named(names: &Json) -> String {
    let mut words = String::new();
    if let Some(name) = names["RestApi"].as_str() {
        words += &format!(" ({name})");
    }
    if let Some(base) = names["BaseDeploymentId"].as_str() {
        words += &format!(", deployment {base} now");
    }
    if let Some(base) = names["BaseFunctionVersion"].as_str() {
        words += &format!(", version {base} now");
    }
    for (function, base) in names["BaseFunctionVersions"].as_object().into_iter().flatten() {
        words += &format!(", version {} of {function} now", base.as_str().unwrap_or_default());
    }
    words
}

fn takes(plan: &Plan) -> String {
    let waits_ms = plan.steps().iter().map(|step| step.wait_ms).sum();
    format!("{} at least, {} at most", time(waits_ms), time(plan.rules().max_duration_ms))
}

fn steps(plan: &Plan, rate: Option<f64>) -> Vec<Vec<String>> {
    let mut head = vec!["Step", "Canary", "Stays", "Left when"];
    if rate.is_some() {
        head.insert(2, "Requests/s");
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect::<Vec<String>>()];
    for (at, step) in plan.steps().iter().enumerate() {
        let percent = step.percent.get();
        let share = if plan.ramp().is_some() && at == 0 {
            format!("up to {percent} %")
        } else {
            format!("{percent} %")
        };
        let mut row = vec![format!("{}", at + 1), share, time(step.wait_ms), left_when(plan, at)];
        if let Some(rate) = rate {
            row.insert(2, format!("{:.1}", rate * percent / 100.0));
        }
        rows.push(row);
    }
    rows
}

/// What must have been seen before a step is left for more.
pub fn left_when(plan: &Plan, step: usize) -> String {
    let requests = format!("{} canary requests seen", plan.rules().canary_requests_min);
    let next = plan.steps().get(step + 1).map(|next| next.percent.get());
    let is_decided = next.is_none_or(|next| next >= 100.0 || (plan.ramp().is_some() && next > 50.0));
    let seen = if is_decided { format!("{requests}, shown not worse") } else { requests };
    let has_gate = plan.steps().get(step).is_some_and(|step| step.gate);
    if has_gate { format!("{seen}, then somebody opens the gate") } else { seen }
}

/// All that is looked at, a sentence each.
pub fn checks(plan: &Plan) -> Vec<String> {
    let (rules, judged) = (plan.rules(), plan.judged());
    let mut found = Vec::new();
    if rules.checks.iter().any(|check| check == plan::LATENCY_HISTORY) {
        found.push(format!(
            "before anything moves: {} warm requests of the base tell how long it takes, {} after {}",
            plan::HISTORY_REQUESTS,
            plan::HISTORY_REQUESTS_MIN,
            time(plan::HISTORY_PATIENCE_MS)
        ));
    }
    found.extend(plan.hooks().iter().map(hook));
    found.push(format!(
        "errors: rolled back when more than the base's (wrong in {} % of equally good ones), promoted when at most {} pp \
         more (wrong in {} %)",
        hundredfold(rules.alpha_rollback),
        hundredfold(rules.margin),
        hundredfold(rules.alpha_promote)
    ));
    if let Some(latency) = &judged.latency {
        found.push(format!(
            "latency: at most {} pp more requests above the base's p50 and {} pp above its p99, {} % slower accepted",
            hundredfold(latency.body_margin),
            hundredfold(latency.tail_margin),
            hundredfold(latency.slower_by)
        ));
    }
    match &judged.routes[..] {
        [] => {}
        [all] if all == "*" => found.push("routes: each of the canary's deployment by itself".to_owned()),
        routes => found.push(format!("routes: {}", routes.join(", "))),
    }
    let guardrails = plan.guardrails().all().into_iter();
    found.extend(guardrails.map(|guardrail| format!("guardrail: {guardrail}, whatever the base does")));
    if !rules.alarms.is_empty() {
        found.push(format!("alarms that veto: {}", rules.alarms.join(", ")));
    }
    found.push(format!(
        "budget: {} % of the canary's requests with most of the traffic",
        hundredfold(rules.budget)
    ));
    if plan.steps().iter().any(|step| step.gate) {
        found.push(format!("gates: inconclusive when not opened within {}", time(rules.gate_timeout_ms)));
    }
    match rules.when_blind {
        WhenBlind::Hold => found.push(format!(
            "evidence missing: holds, and ends inconclusive after {}",
            time(rules.max_duration_ms)
        )),
    }
    found
}

/// `hook smoke, before a step (50 %): asks function pets:live, 3 calls of 10 s at most that may fail; go within 10 m, or …`.
fn hook(hook: &Hook) -> String {
    let Patience { timeout_ms, attempts, wait_ms, .. } = hook.patience;
    let at = hook.percent.map(|percent| format!(" of {} %", percent.get())).unwrap_or_default();
    let (whom, point) = (hook.whom.as_str(), hook.point.as_str());
    let verb = if hook.point == HookPoint::AfterRollout { "tells" } else { "asks" };
    let bound = match hook.point {
        HookPoint::AfterRollout => "then it is left".to_owned(),
        _ => format!("inconclusive when it neither says go nor stop within {}", time(wait_ms)),
    };
    format!(
        "hook {}, {point}{at}: {verb} {whom}; {attempts} failures in a row of {} each at most; {bound}",
        hook.name,
        time(timeout_ms)
    )
}

/// What else is given and told.
pub fn given(input: &Json) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(environments) = input["PreWarm"]["Environments"].as_u64() {
        found.push(format!("{environments} environments of the canary are ready before its first request"));
    }
    if let Some(force) = input["Force"].as_str() {
        found.push(format!("who brings canary or base in {force} gets that release, which is no evidence"));
    }
    if let Some(sticky) = input["Sticky"].as_str() {
        let whom = match sticky {
            "source-address" => "who comes from the same address",
            _ => "who brings the same value there",
        };
        found.push(format!(
            "clients keep their release by {sticky}: {whom} stays while the share grows, and only each one's first \
             failure is compared"
        ));
    }
    if let Some(percent) = input["Mirror"].as_f64() {
        found.push(format!(
            "the canary gets {percent} % of the base's requests as well, and both answers together are evidence; functions run twice"
        ));
    }
    if let Some(requests) = input["Probes"]["Requests"].as_array() {
        let (per_second, count) =
            (input["Probes"]["PerSecond"].as_f64().unwrap_or(PROBES_PER_SECOND), requests.len());
        let [asked, one, many] = match requests.iter().all(|request| request["Payload"].is_string()) {
            true => ["versions are invoked with", "an event", "events"],
            false => ["releases are asked", "a request", "requests"],
        };
        let what = if count == 1 { one.to_owned() } else { format!("one of {count} {many}") };
        found.push(format!(
            "both {asked} {what} {per_second} times a second, and both answers together are evidence"
        ));
    }
    for receiver in input["Notifications"].as_array().into_iter().flatten() {
        let signed = if receiver["Secret"].is_string() { ", signed" } else { "" };
        found.push(format!(
            "{} is told of every change{signed}",
            receiver["Url"].as_str().unwrap_or_default()
        ));
    }
    found
}

fn foreseen(forecasts: &[Forecast]) -> Vec<Vec<String>> {
    let head = [
        "Canary fails",
        "Runs",
        "Rolled back",
        "Promoted",
        "Inconclusive",
        "Usually after",
        "Requests",
        "Canary's",
        "Failed",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for forecast in forecasts {
        let count = |outcome| forecast.count(outcome).to_string();
        let mut row = vec![
            format!("{} %", hundredfold(forecast.traffic.canary_errors)),
            forecast.runs.len().to_string(),
            count(Outcome::RolledBack),
            count(Outcome::Promoted),
            count(Outcome::Inconclusive),
        ];
        match forecast.usual() {
            Some(usual) => row.extend([
                format!("{} ({})", time(usual.took_ms), time(usual.took_ms_p90)),
                usual.requests.to_string(),
                usual.canary_requests.to_string(),
                usual.canary_failures.to_string(),
            ]),
            None => row.push("too long to simulate".to_owned()),
        }
        rows.push(row);
    }
    rows
}

fn time(ms: u64) -> String {
    quantity::words(Duration::from_millis(ms))
}

/// Six decimals at most, without the tail that binary fractions grow.
fn hundredfold(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}
