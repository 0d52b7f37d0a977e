//! What a rollout would do, told beforehand: its plan, and what it would see of traffic like this. Starts nothing, and needs no
//! server; one that is there is asked for names alone.

mod build;
mod forecast;
mod page;

use std::time::Duration;

use pitbird_rollout::Plan;
use serde_json::{Value as Json, json};

use super::order::start_input;
use crate::arguments::{Output, PlanOptions, StartOptions};
use crate::client::Client;
use crate::failure::Failure;
use crate::print;
pub use build::plan as of;
use forecast::{Forecast, Pairing, Traffic};

/// How long a server may take to tell a name.
const PATIENCE: Duration = Duration::from_secs(1);

/// The plan in the form that was asked for.
pub async fn shown(client: &Client, options: &PlanOptions, output: Output) -> Result<String, Failure> {
    let input = start_input(&StartOptions { file: Some(options.file.clone()), ..StartOptions::default() })?;
    let plan = build::plan(&input)?;
    let forecasts = match options.rate {
        Some(per_second) => forecasts(&plan, Pairing::of(&input), options, per_second),
        None => Vec::new(),
    };
    let names = names(client, &input["Target"]).await;
    Ok(match output {
        Output::Table => page::page(&input, &plan, &names, options, &forecasts),
        _ => print::rendered(&document(&input, &plan, &names, options, &forecasts), output),
    })
}

/// A canary as good as the base first, then the faulty ones.
fn forecasts(plan: &Plan, pairs: Pairing, options: &PlanOptions, per_second: f64) -> Vec<Forecast> {
    let base_errors = options.base_errors;
    let mut faulty = options.canary_errors.clone();
    if faulty.is_empty() {
        let margin = plan.rules().margin;
        faulty = [2.0 * margin, 5.0 * margin, 0.1, 0.5, 1.0].map(|more| (base_errors + more).min(1.0)).into();
        faulty.sort_by(f64::total_cmp);
        faulty.dedup();
    }
    // Whoever is asked says go at once.
    let plan = &plan.clone().hooked(Vec::new()).expect("a plan without hooks is one");
    let traffic = |canary_errors| Traffic { per_second, base_errors, canary_errors, pairs };
    let all = std::iter::once(base_errors).chain(faulty).map(traffic);
    all.map(|traffic| forecast::forecast(plan, traffic, options.seed, options.runs)).collect()
}

/// What the server calls the target, and what serves it now; empty where no server is there, or it knows neither.
async fn names(client: &Client, target: &Json) -> Json {
    let mut names = json!({});
    let (stage, alias) = (&target["RestStage"], &target["LambdaAlias"]);
    let ask = async |service: &str, operation: &str, input: Json| {
        let answer = tokio::time::timeout(PATIENCE, client.call(service, operation, &input)).await;
        answer.ok().and_then(Result::ok).unwrap_or_default()
    };
    if stage.is_object() {
        let api = ask("apigateway", "GetRestApi", json!({"restApiId": stage["RestApiId"]})).await;
        let input = json!({"restApiId": stage["RestApiId"], "stageName": stage["StageName"]});
        let found = if api.is_null() { Json::Null } else { ask("apigateway", "GetStage", input).await };
        names["RestApi"] = api["name"].clone();
        names["BaseDeploymentId"] = found["deploymentId"].clone();
    } else if alias.is_object() {
        names["BaseFunctionVersion"] =
            ask("lambda", "GetAlias", named(alias)).await["FunctionVersion"].take();
    }
    for alias in target["LambdaAliases"].as_array().into_iter().flatten() {
        let mut found = ask("lambda", "GetAlias", named(alias)).await;
        if let (Some(function), true) = (alias["FunctionName"].as_str(), found["FunctionVersion"].is_string())
        {
            names["BaseFunctionVersions"][function] = found["FunctionVersion"].take();
        }
    }
    if let Some(members) = names.as_object_mut() {
        members.retain(|_, name| name.is_string() || name.is_object());
    }
    names
}

/// GetAlias's input.
fn named(alias: &Json) -> Json {
    json!({"FunctionName": alias["FunctionName"], "Name": alias["AliasName"]})
}

fn document(input: &Json, plan: &Plan, names: &Json, options: &PlanOptions, forecasts: &[Forecast]) -> Json {
    let steps: Vec<Json> = plan
        .steps()
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let per_second = options.rate.map(|rate| rate * step.percent.get() / 100.0);
            json!({
                "Percent": step.percent.get(),
                "WaitMs": step.wait_ms,
                "CanaryRequestsPerSecond": per_second,
                "LeftWhen": page::left_when(plan, at),
            })
        })
        .collect();
    let mut told = json!({
        "Name": input["Name"],
        "Target": input["Target"],
        "Canary": input["Canary"],
        "Found": names,
        "Steps": steps,
        "Checks": page::checks(plan),
        "Besides": page::given(input),
        "Deviations": plan.deviations(),
        "ShortestMs": plan.steps().iter().map(|step| step.wait_ms).sum::<u64>(),
        "LongestMs": plan.rules().max_duration_ms,
        "WhenBlind": plan.rules().when_blind,
    });
    if let Some(rate) = options.rate {
        told["Foreseen"] = json!({
            "Method": "a seeded simulation through the planner itself",
            "Assumes": page::assumes(plan),
            "RatePerSecond": rate,
            "BaseErrors": options.base_errors,
            "Seed": options.seed,
            "Releases": forecasts.iter().map(Forecast::to_json).collect::<Vec<Json>>(),
        });
    }
    told
}

#[cfg(test)]
mod tests;
