//! What is wanted: StartRollout's input, as `pitbird rollout start` reads it from a rollout file, and the plan that it makes. What
//! can't be had on AWS is refused by its name in the file.

use std::collections::BTreeMap;

use pitbird_names::FunctionRef;
use pitbird_rollout::{Judged, Plan};
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
    Alias(AliasWish),
    /// Moved together; by their functions' names, each once.
    Aliases(Vec<AliasWish>),
}

/// An alias and the version that it is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasWish {
    /// The function's name.
    pub name: String,
    /// The function as it was named.
    pub function: String,
    pub alias: String,
    pub canary: String,
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
        "Mirror",
        "API Gateway sends a request to one release only; leave it out, or release on a pitbird server",
    ),
    (
        "Probes",
        "nobody can send a request to one release of a stage on AWS, and an alias' versions aren't invoked from here; leave \
         it out, or release on a pitbird server",
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
        if let Wish::Aliases(wishes) = self.wish()? {
            // Each is watched apart, as on a server of our own.
            let routes = wishes.into_iter().map(|wish| wish.name).collect();
            let judged = Judged { routes, ..self.plan.judged().clone() };
            let ramp = self.plan.ramp().cloned();
            self.plan = self.plan.with(ramp, judged).map_err(|error| Error::Wrong(error.to_string()))?;
        }
        Ok(self)
    }

    pub fn wish(&self) -> Result<Wish, Error> {
        let (target, canary) = (&self.input["Target"], &self.input["Canary"]);
        only(target, &["RestStage", "LambdaAlias", "LambdaAliases"], "Target.")?;
        let (stage, alias, aliases) =
            (&target["RestStage"], &target["LambdaAlias"], &target["LambdaAliases"]);
        match (stage.is_object(), alias.is_object(), aliases.as_array()) {
            (true, false, None) => stage_wish(stage, canary),
            (false, true, None) => {
                only(alias, &["FunctionName", "AliasName"], "Target.LambdaAlias.")?;
                only(canary, &["FunctionVersion"], "Canary.")?;
                let function =
                    text(&alias["FunctionName"]).ok_or(Error::Missing("Target.LambdaAlias.FunctionName"))?;
                Ok(Wish::Alias(AliasWish {
                    name: function.clone(),
                    function,
                    alias: text(&alias["AliasName"]).ok_or(Error::Missing("Target.LambdaAlias.AliasName"))?,
                    canary: version(&canary["FunctionVersion"], "Canary.FunctionVersion")?,
                }))
            }
            (false, false, Some(aliases)) => {
                only(canary, &["FunctionVersions"], "Canary.")?;
                together(aliases, &canary["FunctionVersions"])
            }
            _ => {
                let words = "Target must be one of RestStage, LambdaAlias and LambdaAliases";
                Err(Error::Wrong(words.to_owned()))
            }
        }
    }
}

fn stage_wish(stage: &Json, canary: &Json) -> Result<Wish, Error> {
    only(stage, &["RestApiId", "StageName"], "Target.RestStage.")?;
    only(canary, &["DeploymentId", "StageVariableOverrides"], "Canary.")?;
    let overrides = canary["StageVariableOverrides"].as_object().filter(|given| !given.is_empty());
    Ok(Wish::Stage {
        api_id: text(&stage["RestApiId"]).ok_or(Error::Missing("Target.RestStage.RestApiId"))?,
        stage: text(&stage["StageName"]).ok_or(Error::Missing("Target.RestStage.StageName"))?,
        canary: text(&canary["DeploymentId"]),
        overrides: overrides.map(texts).transpose()?,
    })
}

/// Several aliases with the versions that they are to get, by the functions' names.
fn together(aliases: &[Json], versions: &Json) -> Result<Wish, Error> {
    let named = |function: &str, of: &str| match FunctionRef::parse(function) {
        Ok(found) if found.qualifier.is_none() => Ok(found.name),
        Ok(_) => Err(Error::Wrong(format!("{of} must not have a qualifier"))),
        Err(error) => Err(Error::Wrong(format!("{of}: {error}"))),
    };
    let mut canaries = BTreeMap::new();
    for (function, given) in versions.as_object().into_iter().flatten() {
        let of = format!("Canary.FunctionVersions.{function}");
        canaries.insert(named(function, &of)?, version(given, &of)?);
    }
    let mut wishes = BTreeMap::new();
    for given in aliases {
        only(given, &["FunctionName", "AliasName"], "Target.LambdaAliases.")?;
        let function =
            text(&given["FunctionName"]).ok_or(Error::Missing("Target.LambdaAliases.FunctionName"))?;
        let alias = text(&given["AliasName"]).ok_or(Error::Missing("Target.LambdaAliases.AliasName"))?;
        let name = named(&function, "Target.LambdaAliases.FunctionName")?;
        let canary = canaries.remove(&name).ok_or_else(|| {
            Error::Wrong(format!("Canary.FunctionVersions says no version of {name}, or it is named twice"))
        })?;
        wishes.insert(name.clone(), AliasWish { name, function, alias, canary });
    }
    if let Some(name) = canaries.into_keys().next() {
        let words = format!("Canary.FunctionVersions.{name}: Target.LambdaAliases doesn't name it");
        return Err(Error::Wrong(words));
    }
    match wishes.is_empty() {
        true => Err(Error::Missing("Target.LambdaAliases")),
        false => Ok(Wish::Aliases(wishes.into_values().collect())),
    }
}

fn text(at: &Json) -> Option<String> {
    at.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The number of a published version.
fn version(given: &Json, of: &str) -> Result<String, Error> {
    let found = text(given).filter(|version| version.parse::<u64>().is_ok());
    found.ok_or_else(|| Error::Wrong(format!("{of} must be the number of a published version")))
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
            (json!({"Mirror": 10}), "Mirror"),
            (json!({"Probes": {"Requests": [{"Path": "/"}]}}), "Probes"),
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
    fn several_aliases_are_named_with_their_versions_and_each_is_watched() {
        let of = |aliases: &[&str], versions: Json| {
            let alias = |function: &&str| json!({"FunctionName": function, "AliasName": "live"});
            let target = json!({"LambdaAliases": aliases.iter().map(alias).collect::<Vec<_>>()});
            order(json!({"Target": target, "Canary": {"FunctionVersions": versions}})).accept()
        };
        let pets = "arn:aws:lambda:us-east-1:123456789012:function:pets";
        let accepted = of(&["toys", pets], json!({"toys": "7", "pets": "2"})).unwrap();
        assert_eq!(accepted.plan.judged().routes, ["pets", "toys"]);
        let Ok(Wish::Aliases(wishes)) = accepted.wish() else { panic!("{:?}", accepted.wish()) };
        let named: Vec<_> = wishes.iter().map(|wish| (&*wish.function, &*wish.canary)).collect();
        assert_eq!(named, [(pets, "2"), ("toys", "7")]);
        for (aliases, versions, words) in [
            (vec![], json!({}), "LambdaAliases is missing"),
            (vec!["toys", "pets"], json!({"pets": "2"}), "says no version of toys"),
            (vec!["pets"], json!({"pets": "2", "x": "1"}), "FunctionVersions.x: Target"),
            (vec!["pets", "pets"], json!({"pets": "2"}), "named twice"),
            (vec!["pets:7"], json!({"pets": "2"}), "qualifier"),
            (vec!["pets"], json!({"pets": "$LATEST"}), "number of a published version"),
        ] {
            let refused = of(&aliases, versions).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
        let both = json!({"Target": {"LambdaAliases": [], "LambdaAlias": {}}});
        assert!(order(both).accept().unwrap_err().to_string().contains("one of"));
    }

    #[test]
    fn a_name_must_fit_into_marks_and_file_names() {
        for name in ["", "../x", "a:b", ".hidden", "a b"] {
            assert!(order(json!({"Name": name})).accept().is_err(), "{name}");
        }
    }
}
