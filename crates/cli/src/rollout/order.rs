//! What is ordered: a rollout file with flags on top.

use std::io::Read;
use std::path::Path;

use pitbird_wire::{Model, Reference};
use serde_json::{Map, Value as Json, json};

use super::file;
use crate::arguments::{Moved, StartOptions};
use crate::failure::Failure;
use crate::operation::find_service;

/// Longest name of a rollout.
const NAME_CHARS_MAX: usize = 128;
const EXAMPLE: &str = "pitbird rollout start --rest-api ID --stage NAME --deployment ID, or --function NAME \
                       --alias NAME --version NUMBER, or --together FUNCTION:ALIAS=VERSION,..., or a rollout file \
                       (see --help)";

/// StartRollout's input.
pub fn start_input(options: &StartOptions) -> Result<Json, Failure> {
    let mut input = match &options.file {
        Some(path) => from_file(path)?,
        None => json!({}),
    };
    place(&mut input, options);
    if options.ramp && !input["Ramp"].is_object() {
        input["Ramp"] = json!({});
    }
    ramp(&mut input, options)?;
    rules(&mut input, options);
    if input["Target"].is_null() {
        return Err(Failure::usage("nothing says what is to be rolled out").hint(EXAMPLE));
    }
    if input["Canary"].is_null() {
        return Err(Failure::usage("nothing says what the canary is").hint(EXAMPLE));
    }
    for (member, given) in [("Reason", &options.reason), ("Sticky", &options.sticky)] {
        if let Some(given) = given {
            input[member] = json!(given);
        }
    }
    if let Some(percent) = options.mirror {
        input["Mirror"] = json!(percent);
    }
    if let Some(name) = &options.name {
        input["Name"] = json!(name);
    } else if input["Name"].is_null() {
        input["Name"] = json!(name_of(&input));
    }
    Ok(input)
}

fn from_file(path: &Path) -> Result<Json, Failure> {
    let shown = path.display();
    let read = if path == Path::new("-") {
        read_text(std::io::stdin())
    } else {
        std::fs::File::open(path).and_then(read_text)
    };
    let text =
        read.map_err(|error| Failure::usage(format!("can't read the rollout file {shown}: {error}")))?;
    let (model, input) = start_rollout();
    file::parse(&text, model, &input).map_err(|error| {
        Failure::usage(format!("rollout file {shown}: {error}"))
            .hint("`pitbird rollout start --help` shows a rollout file")
    })
}

fn read_text(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(file::BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > file::BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {} bytes", file::BYTES_MAX)));
    }
    Ok(text)
}

/// The model of our own service, and its operation's input.
pub fn start_rollout() -> (&'static Model, Reference) {
    let model = find_service("rollouts").expect("our own service is embedded");
    let input = model.operation("StartRollout").and_then(|operation| operation.input);
    (model, Reference::to(input.expect("a rollout is started with an input")))
}

fn place(input: &mut Json, options: &StartOptions) {
    if let (Some(api), Some(stage)) = (&options.rest_api, &options.stage) {
        input["Target"] = json!({"RestStage": {"RestApiId": api, "StageName": stage}});
    }
    if let (Some(function), Some(alias)) = (&options.function, &options.alias) {
        input["Target"] = json!({"LambdaAlias": {"FunctionName": function, "AliasName": alias}});
    }
    if !options.together.is_empty() {
        let alias = |moved: &Moved| json!({"FunctionName": moved.function, "AliasName": moved.alias});
        input["Target"] = json!({"LambdaAliases": options.together.iter().map(alias).collect::<Vec<_>>()});
    }
    let mut put = |name: &str, value: Json| {
        if !input["Canary"].is_object() {
            input["Canary"] = json!({});
        }
        input["Canary"][name] = value;
    };
    if let Some(deployment) = &options.deployment {
        put("DeploymentId", json!(deployment));
    }
    if let Some(version) = &options.version {
        put("FunctionVersion", json!(version));
    }
    if !options.together.is_empty() {
        let versions = options.together.iter().map(|moved| (moved.function.clone(), json!(moved.version)));
        put("FunctionVersions", Json::Object(versions.collect()));
    }
    if !options.variables.is_empty() {
        let variables = options.variables.iter().map(|(name, value)| (name.clone(), json!(value)));
        put("StageVariableOverrides", Json::Object(variables.collect::<Map<_, _>>()));
    }
}

fn ramp(input: &mut Json, options: &StartOptions) -> Result<(), Failure> {
    if !options.steps.is_empty() {
        input["Steps"] = options.steps.iter().map(|percent| json!({"Percent": percent})).collect();
    }
    if options.wait.is_empty() && options.gates.is_empty() {
        return Ok(());
    }
    if input["Steps"].is_null() {
        input["Steps"] = file::usual_steps(input);
    }
    let steps = input["Steps"].as_array_mut().map_or(&mut [][..], Vec::as_mut_slice);
    gates(steps, &options.gates)?;
    let waits = &options.wait;
    if waits.is_empty() {
        return Ok(());
    }
    if waits.len() != 1 && waits.len() != steps.len() {
        let what = format!("{} waits are given for {} steps", waits.len(), steps.len());
        return Err(Failure::usage(what).hint("give one wait for all steps, or one for each"));
    }
    for (step, wait) in steps.iter_mut().zip(waits.iter().cycle()) {
        if let Some(step) = step.as_object_mut() {
            step.insert("WaitMs".to_owned(), milliseconds(*wait));
        }
    }
    Ok(())
}

fn rules(input: &mut Json, options: &StartOptions) {
    let rules = [
        ("Margin", options.margin.map(Json::from)),
        ("Budget", options.budget.map(Json::from)),
        ("CanaryRequestsMin", options.min_requests.map(Json::from)),
        ("MaxDurationMs", options.max_duration.map(milliseconds)),
        ("IntervalMs", options.interval.map(milliseconds)),
        ("GateTimeoutMs", options.gate_timeout.map(milliseconds)),
    ];
    for (name, value) in rules {
        let Some(value) = value else { continue };
        if !input["Rules"].is_object() {
            input["Rules"] = json!({});
        }
        input["Rules"][name] = value;
    }
    guardrails(input, options);
    if options.latency && !input["Latency"].is_object() {
        input["Latency"] = json!({});
    }
    if !options.routes.is_empty() {
        input["Routes"] = json!(options.routes);
    }
    if !options.alarms.is_empty() {
        input["Alarms"] = json!(options.alarms);
    }
}

/// Closes a gate at each step of these percentages.
fn gates(steps: &mut [Json], gates: &[f64]) -> Result<(), Failure> {
    for gate in gates {
        let step = steps.iter_mut().find(|step| step["Percent"].as_f64() == Some(*gate));
        let Some(step) = step else {
            return Err(Failure::usage(format!("--gate {gate}: no step goes to {gate} %")));
        };
        step["Gate"] = json!(true);
    }
    Ok(())
}

fn guardrails(input: &mut Json, options: &StartOptions) {
    let ceiling = |(quantile, above): &(f64, std::time::Duration)| json!({"Quantile": quantile, "AboveMs": milliseconds(*above)});
    let latency: Vec<Json> = options.max_latency.iter().map(ceiling).collect();
    let latency = (!latency.is_empty()).then(|| json!(latency));
    for (name, value) in [("ErrorRate", options.max_error_rate.map(Json::from)), ("Latency", latency)] {
        let Some(value) = value else { continue };
        if !input["Guardrails"].is_object() {
            input["Guardrails"] = json!({});
        }
        input["Guardrails"][name] = value;
    }
}

fn milliseconds(duration: std::time::Duration) -> Json {
    Json::from(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// A name for a rollout that was given none: where it goes and what it brings, `a1b2c3d4e5-prod-x9y8z7`.
fn name_of(input: &Json) -> String {
    let (target, canary) = (&input["Target"], &input["Canary"]);
    let parts = [
        &target["RestStage"]["RestApiId"],
        &target["RestStage"]["StageName"],
        &target["LambdaAlias"]["FunctionName"],
        &target["LambdaAlias"]["AliasName"],
        &canary["DeploymentId"],
        &canary["FunctionVersion"],
    ];
    let mut words: Vec<String> = parts.iter().filter_map(|part| part.as_str()).map(str::to_owned).collect();
    for (function, version) in canary["FunctionVersions"].as_object().into_iter().flatten() {
        words.push(format!("{function}-{}", version.as_str().unwrap_or_default()));
    }
    for (name, value) in canary["StageVariableOverrides"].as_object().into_iter().flatten() {
        words.push(format!("{name}-{}", value.as_str().unwrap_or_default()));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = words.join("-").chars().map(|c| if is_plain(c) { c } else { '-' }).collect::<String>();
    // The end tells releases of one function apart, its beginning rarely does.
    name[name.len().saturating_sub(NAME_CHARS_MAX)..].to_owned()
}

#[cfg(test)]
mod tests;
