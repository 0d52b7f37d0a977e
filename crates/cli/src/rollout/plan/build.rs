//! From StartRollout's input to the planner's plan, as the service makes it. The planner's words are the model's in lower
//! case.

use pitbird_rollout::{Plan, plan};
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;
use crate::json::{self, Files};
use crate::operation::snake;
use crate::rollout::order::start_rollout;

pub fn plan(input: &Json) -> Result<Plan, Failure> {
    check(input)?;
    let mut rules = planner_words(&input["Rules"]);
    rules["alarms"] = list(&input["Alarms"]);
    let mut judged = json!({"routes": list(&input["Routes"])});
    if !input["Mirror"].is_null() || !input["Probes"].is_null() {
        judged["pairs"] = json!(true);
    }
    if let Some(aliases) = input["Target"]["LambdaAliases"].as_array() {
        // Each function is watched apart.
        judged["routes"] = aliases.iter().map(|alias| alias["FunctionName"].clone()).collect();
    }
    let mut checks = Vec::new();
    if input["Latency"].is_object() {
        judged["latency"] = planner_words(&input["Latency"]);
        checks.push(plan::LATENCY_HISTORY);
    }
    if input["PreWarm"].is_object() {
        checks.push(plan::PRE_WARMED);
    }
    rules["checks"] = json!(checks);
    let is_stage = input["Target"]["RestStage"].is_object();
    let kind = if is_stage { "stage_canary" } else { "function_alias" };
    let mut draft = json!({
        "target": {"kind": kind, "description": input["Name"]},
        "steps": steps(input),
        "rules": rules,
        "judged": judged,
        "hooks": hooks(&input["Hooks"])?,
    });
    for name in ["Ramp", "Guardrails"] {
        if input[name].is_object() {
            draft[snake(name)] = planner_words(&input[name]);
        }
    }
    serde_json::from_value(draft).map_err(|error| Failure::usage(format!("the plan is none: {error}")))
}

/// Hooks in the planner's words; what else they say is the executor's.
fn hooks(given: &Json) -> Result<Json, Failure> {
    let hook = |hook: &Json| {
        let whom = match (&hook["FunctionName"], &hook["Url"]) {
            (Json::String(function), Json::Null) => json!({"function": function}),
            (Json::Null, Json::String(url)) => json!({"url": url}),
            _ => {
                let name = hook["Name"].as_str().unwrap_or_default();
                let words = format!("the plan is none: hook {name} asks either function_name or url");
                return Err(Failure::usage(words));
            }
        };
        let patience = ["TimeoutMs", "Attempts", "IntervalMs", "WaitMs"].into_iter();
        let patience = patience.filter(|name| !hook[*name].is_null());
        let patience = patience.map(|name| (snake(name), hook[name].clone())).collect::<Map<_, _>>();
        let point = snake(hook["When"].as_str().unwrap_or_default());
        let mut words = json!({"name": hook["Name"], "point": point, "whom": whom, "patience": patience});
        if !hook["Percent"].is_null() {
            words["percent"] = hook["Percent"].clone();
        }
        Ok(words)
    };
    given.as_array().into_iter().flatten().map(hook).collect()
}

/// What the service's model refuses, the service would.
fn check(input: &Json) -> Result<(), Failure> {
    let none = |words: String| Failure::usage(format!("the plan is none: {words}"));
    let (model, reference) = start_rollout();
    let value = json::to_value(model, Some(reference.shape), input, Files::Refused);
    let value = value.map_err(|error| none(error.to_string()))?;
    let operation = model.operation("StartRollout").expect("our own service is embedded");
    let violations = pitbird_wire::check(model, operation, &value);
    if violations.is_empty() { Ok(()) } else { Err(none(pitbird_wire::summary(&violations))) }
}

/// A step that doesn't say how long it takes gets the usual wait, the last one the usual bake.
fn steps(input: &Json) -> Json {
    let Some(given) = input["Steps"].as_array() else {
        let standard =
            if input["Ramp"].is_object() { plan::adaptive_steps() } else { plan::standard_steps() };
        return json!(standard);
    };
    let step = |(at, step): (usize, &Json)| {
        let usual = if at + 1 == given.len() { plan::BAKE_MS } else { plan::WAIT_MS };
        let wait_ms = step["WaitMs"].as_u64().unwrap_or(usual);
        let gate = step["Gate"].as_bool().unwrap_or_default();
        json!({"percent": step["Percent"], "wait_ms": wait_ms, "gate": gate})
    };
    given.iter().enumerate().map(step).collect()
}

fn list(given: &Json) -> Json {
    if given.is_array() { given.clone() } else { json!([]) }
}

fn planner_words(given: &Json) -> Json {
    match given {
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| (snake(name), planner_words(value)));
            Json::Object(members.collect::<Map<_, _>>())
        }
        Json::Array(items) => items.iter().map(planner_words).collect(),
        // The only word that is a member's value.
        Json::String(text) => Json::from(snake(text)),
        Json::Null => json!({}),
        other => other.clone(),
    }
}
