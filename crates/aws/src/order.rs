//! What is wanted: StartRollout's input, as `pitbird rollout start` reads it from a rollout file, and the plan that it makes. What
//! can't be had on AWS is refused by its name in the file.

use std::collections::BTreeMap;

use pitbird_rollout::Plan;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::notices;

/// How often AWS is looked at where the file doesn't say, ms. A sum of a minute is news once a minute.
pub const INTERVAL_MS: u64 = 15_000;
/// More often is not asked: every look is several calls, which AWS counts and charges.
pub const INTERVAL_MS_MIN: u64 = 5_000;

/// What stands on standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Order {
    pub input: Json,
    pub plan: Plan,
}

/// Which target, in the file's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Stage {
        api_id: String,
        stage: String,
        canary: Option<String>,
        overrides: Option<BTreeMap<String, String>>,
    },
    Alias {
        function: String,
        alias: String,
        canary: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("{name} can't be had on AWS: {why}")]
    Refused { name: String, why: &'static str },
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0}")]
    Wrong(String),
}

/// Why what a server of our own offers isn't there on AWS.
const WHY: &[(&str, &str)] = &[
    ("Latency", "CloudWatch has no counts of slow requests under thresholds that are frozen for the release"),
    ("Routes", "API Gateway counts by route only where detailed metrics are on, and never by canary"),
    ("Ramp", "a weight that rises by itself needs looks within seconds, and CloudWatch's sums take minutes"),
    ("Force", "API Gateway draws for each request; test the canary by a stage of its own"),
    (
        "Sticky",
        "API Gateway draws for each request and keeps nobody; leave it out, or release on a pitbird server",
    ),
    (
        "PreWarm",
        "give the version provisioned concurrency before the release, by `aws lambda put-provisioned-concurrency-config`",
    ),
];
const NOT_HERE: &str = "no such member is driven on AWS; leave it out, or release on a pitbird server";

const TOP: &[&str] = &[
    "Name",
    "Target",
    "Canary",
    "Steps",
    "Rules",
    "Alarms",
    "Guardrails",
    "Hooks",
    "Notifications",
    "Reason",
];
const HOOK: &[&str] = &[
    "Name",
    "When",
    "Percent",
    "FunctionName",
    "Url",
    "Secret",
    "TimeoutMs",
    "Attempts",
    "IntervalMs",
    "WaitMs",
];
const STEP: &[&str] = &["Percent", "WaitMs", "Gate"];
const RULES: &[&str] = &[
    "AlphaRollback",
    "AlphaPromote",
    "Margin",
    "Budget",
    "CanaryRequestsMin",
    "MaxDurationMs",
    "DeadlineMs",
    "IntervalMs",
    "GateTimeoutMs",
    "WhenBlind",
];

impl Order {
    pub fn name(&self) -> Result<&str, Error> {
        let name = self.input["Name"].as_str().ok_or(Error::Missing("Name"))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if (1..=128).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.') {
            return Ok(name);
        }
        let words = "Name must be 1 to 128 letters, digits, hyphens, dots and underscores, for it names files and marks the target";
        Err(Error::Wrong(words.to_owned()))
    }

    /// The order as it is carried out, or what of it can't be.
    pub fn accept(mut self) -> Result<Order, Error> {
        self.name()?;
        only(&self.input, TOP, "")?;
        for step in self.input["Steps"].as_array().into_iter().flatten() {
            only(step, STEP, "Steps.")?;
        }
        for hook in self.input["Hooks"].as_array().into_iter().flatten() {
            only(hook, HOOK, "Hooks.")?;
        }
        for receiver in self.input["Notifications"].as_array().into_iter().flatten() {
            only(receiver, &["Url", "Secret"], "Notifications.")?;
        }
        notices::check(&self.input["Notifications"]).map_err(Error::Wrong)?;
        only(&self.input["Rules"], RULES, "Rules.")?;
        only(&self.input["Guardrails"], &["ErrorRate"], "Guardrails.")?;
        match self.input["Rules"]["IntervalMs"].as_u64() {
            Some(interval_ms) if interval_ms < INTERVAL_MS_MIN => {
                let words = format!(
                    "Rules.IntervalMs is {interval_ms}; AWS is looked at every {INTERVAL_MS_MIN} ms at most"
                );
                return Err(Error::Wrong(words));
            }
            Some(_) => {}
            None => self.plan = every(self.plan, INTERVAL_MS),
        }
        self.wish()?;
        Ok(self)
    }

    pub fn wish(&self) -> Result<Wish, Error> {
        let (target, canary) = (&self.input["Target"], &self.input["Canary"]);
        only(target, &["RestStage", "LambdaAlias"], "Target.")?;
        let text = |at: &Json| at.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        match (target["RestStage"].as_object(), target["LambdaAlias"].as_object()) {
            (Some(_), None) => {
                let stage = &target["RestStage"];
                only(stage, &["RestApiId", "StageName"], "Target.RestStage.")?;
                only(canary, &["DeploymentId", "StageVariableOverrides"], "Canary.")?;
                let overrides =
                    canary["StageVariableOverrides"].as_object().filter(|given| !given.is_empty());
                Ok(Wish::Stage {
                    api_id: text(&stage["RestApiId"]).ok_or(Error::Missing("Target.RestStage.RestApiId"))?,
                    stage: text(&stage["StageName"]).ok_or(Error::Missing("Target.RestStage.StageName"))?,
                    canary: text(&canary["DeploymentId"]),
                    overrides: overrides.map(texts).transpose()?,
                })
            }
            (None, Some(_)) => {
                let alias = &target["LambdaAlias"];
                only(alias, &["FunctionName", "AliasName"], "Target.LambdaAlias.")?;
                only(canary, &["FunctionVersion"], "Canary.")?;
                let version =
                    text(&canary["FunctionVersion"]).ok_or(Error::Missing("Canary.FunctionVersion"))?;
                if version.parse::<u64>().is_err() {
                    let words = "Canary.FunctionVersion must be the number of a published version";
                    return Err(Error::Wrong(words.to_owned()));
                }
                Ok(Wish::Alias {
                    function: text(&alias["FunctionName"])
                        .ok_or(Error::Missing("Target.LambdaAlias.FunctionName"))?,
                    alias: text(&alias["AliasName"]).ok_or(Error::Missing("Target.LambdaAlias.AliasName"))?,
                    canary: version,
                })
            }
            _ => Err(Error::Wrong("Target must be either RestStage or LambdaAlias".to_owned())),
        }
    }
}

/// The plan with another interval; everything else as it was checked before.
fn every(plan: Plan, interval_ms: u64) -> Plan {
    let mut json = serde_json::to_value(&plan).unwrap_or_default();
    json["rules"]["interval_ms"] = Json::from(interval_ms);
    serde_json::from_value(json).unwrap_or(plan)
}

/// Nothing but these members may say anything.
fn only(given: &Json, known: &[&str], place: &str) -> Result<(), Error> {
    let says = |value: &Json| match value {
        Json::Null => false,
        Json::Array(items) => !items.is_empty(),
        _ => true,
    };
    let Some(members) = given.as_object() else { return Ok(()) };
    match members.iter().find(|(name, value)| !known.contains(&name.as_str()) && says(value)) {
        None => Ok(()),
        Some((name, _)) => {
            let name = format!("{place}{name}");
            let why = match name.as_str() {
                "Guardrails.Latency" => WHY[0].1,
                _ => WHY.iter().find(|(what, _)| *what == name).map_or(NOT_HERE, |(_, why)| why),
            };
            Err(Error::Refused { name, why })
        }
    }
}

fn texts(given: &Map<String, Json>) -> Result<BTreeMap<String, String>, Error> {
    let text = |(name, value): (&String, &Json)| {
        let wrong = || Error::Wrong(format!("Canary.StageVariableOverrides.{name} must be text"));
        Ok((name.clone(), value.as_str().ok_or_else(wrong)?.to_owned()))
    };
    given.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(more: Json) -> Order {
        let mut input = json!({
            "Name": "checkout-2",
            "Target": {"LambdaAlias": {"FunctionName": "checkout", "AliasName": "live"}},
            "Canary": {"FunctionVersion": "2"},
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        let target = json!({"kind": "function_alias", "description": "checkout-2"});
        Order { input, plan: serde_json::from_value(json!({"target": target})).unwrap() }
    }

    #[test]
    fn what_aws_cannot_do_is_refused_by_name() {
        for (more, name) in [
            (json!({"Latency": {}}), "Latency"),
            (json!({"Routes": ["*"]}), "Routes"),
            (json!({"Ramp": {}}), "Ramp"),
            (json!({"Notifications": [{"Url": "http://x", "Queue": "x"}]}), "Notifications.Queue"),
            (json!({"Guardrails": {"Latency": [{"Quantile": 0.99, "AboveMs": 800}]}}), "Guardrails.Latency"),
            (json!({"Steps": [{"Percent": 10, "Hook": "x"}]}), "Steps.Hook"),
            (json!({"Hooks": [{"Name": "a", "When": "AfterStep", "Queue": "a"}]}), "Hooks.Queue"),
            (json!({"PreWarm": {"Environments": 1}}), "PreWarm"),
            (json!({"Force": "header:a"}), "Force"),
            (json!({"Sticky": "header:a"}), "Sticky"),
            (json!({"SomethingNew": 1}), "SomethingNew"),
        ] {
            match order(more).accept() {
                Err(Error::Refused { name: refused, .. }) => assert_eq!(refused, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn every_reason_is_of_something_that_is_refused() {
        let taken = |name: &str| match name.split_once('.') {
            None => TOP.contains(&name),
            Some(("Hooks", member)) => HOOK.contains(&member),
            Some(_) => true,
        };
        let idle: Vec<_> = WHY.iter().filter(|(name, _)| taken(name)).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }

    #[test]
    fn what_is_accepted_is_looked_at_less_often_than_on_a_server() {
        let accepted = order(json!({"Routes": [], "Guardrails": {"ErrorRate": 0.02}})).accept().unwrap();
        assert_eq!(accepted.plan.rules().interval_ms, INTERVAL_MS);
        let hasty = order(json!({"Rules": {"IntervalMs": 1000}})).accept();
        assert!(matches!(hasty, Err(Error::Wrong(_))), "{hasty:?}");
    }

    #[test]
    fn a_name_must_fit_into_marks_and_file_names() {
        for name in ["", "../x", "a:b", ".hidden", "a b"] {
            assert!(order(json!({"Name": name})).accept().is_err(), "{name}");
        }
    }
}
