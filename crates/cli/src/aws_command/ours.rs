//! Calls of our own service as commands of this tool.

use clap::Parser;
use pitbird_wire::{Model, Operation};
use serde_json::{Map, Value as Json};

use crate::arguments::{Cli, ClientCommand, Command, RolloutCommand};
use crate::operation::kebab;
use crate::rollout::start_input;

/// The command's words: `pitbird rollout …` where its flags say all of the input, else `pitbird api …`.
pub fn words(model: &Model, operation: &Operation, input: &Json) -> Vec<String> {
    let name = input["Name"].as_str();
    let members = input.as_object().map_or(0, Map::len);
    let short: Option<Vec<&str>> = match (operation.name, name, members) {
        ("GetRollout", Some(name), 1) => Some(vec!["status", name]),
        ("PauseRollout", Some(name), 1) => Some(vec!["pause", name]),
        ("ResumeRollout", Some(name), 1) => Some(vec!["resume", name]),
        ("AbortRollout", Some(name), 1) => Some(vec!["abort", name]),
        ("ListRollouts", None, 0) => Some(vec!["list"]),
        (ordered @ ("PauseRollout" | "ResumeRollout" | "AbortRollout" | "PromoteRollout"), Some(name), 2) => {
            let order = match ordered {
                "PauseRollout" => "pause",
                "ResumeRollout" => "resume",
                "AbortRollout" => "abort",
                _ => "promote",
            };
            input["Reason"].as_str().map(|reason| vec![order, name, "--reason", reason])
        }
        _ => None,
    };
    let whole =
        |words: Vec<String>| ["pitbird", "rollout"].map(str::to_owned).into_iter().chain(words).collect();
    if let Some(short) = short {
        return whole(short.into_iter().map(str::to_owned).collect());
    }
    if operation.name == "StartRollout"
        && let Some(start) = start(input).map(whole)
        && means(&start, input)
    {
        return start;
    }
    let mut words = vec!["pitbird".to_owned(), "api".to_owned(), model.key.to_owned(), kebab(operation.name)];
    if members > 0 {
        words.extend(["--input".to_owned(), input.to_string()]);
    }
    words
}

/// Does the command order exactly this input?
fn means(words: &[String], input: &Json) -> bool {
    let Ok(Cli { command: Command::Client(ClientCommand::Rollout(RolloutCommand::Start(options))), .. }) =
        Cli::try_parse_from(words)
    else {
        return false;
    };
    start_input(&options).is_ok_and(|ordered| same(&ordered, input))
}

/// Equal but for how numbers are written: 10 is 10.0.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|held| same(value, held)))
        }
        (one, other) => one == other,
    }
}

/// What can be said with flags; whether that is all is for [`means`] to find out.
fn start(input: &Json) -> Option<Vec<String>> {
    let mut words = vec!["start".to_owned()];
    let mut put = |flag: &str, value: String| words.extend([format!("--{flag}"), value]);
    let text = |value: &Json| value.as_str().map(str::to_owned);
    put("name", text(&input["Name"])?);
    let (stage, alias) = (&input["Target"]["RestStage"], &input["Target"]["LambdaAlias"]);
    let canary = &input["Canary"];
    for (flag, value) in [
        ("rest-api", &stage["RestApiId"]),
        ("stage", &stage["StageName"]),
        ("deployment", &canary["DeploymentId"]),
        ("function", &alias["FunctionName"]),
        ("alias", &alias["AliasName"]),
        ("version", &canary["FunctionVersion"]),
    ] {
        if let Some(value) = text(value) {
            put(flag, value);
        }
    }
    if let Some(aliases) = input["Target"]["LambdaAliases"].as_array() {
        let moved = |alias: &Json| {
            let (function, alias) = (alias["FunctionName"].as_str()?, alias["AliasName"].as_str()?);
            Some(format!("{function}:{alias}={}", canary["FunctionVersions"][function].as_str()?))
        };
        put("together", listed(aliases.iter().map(moved))?);
    }
    for (name, value) in canary["StageVariableOverrides"].as_object().into_iter().flatten() {
        put("variable", format!("{name}={}", text(value)?));
    }
    if let Some(steps) = input["Steps"].as_array() {
        put("steps", listed(steps.iter().map(|step| Some(step["Percent"].as_f64()?.to_string())))?);
        let waits: Vec<Option<String>> = steps.iter().map(|step| duration(&step["WaitMs"])).collect();
        if waits.iter().any(Option::is_some) {
            let is_same = waits.iter().all(|wait| *wait == waits[0]);
            let shown = if is_same { &waits[..1] } else { &waits[..] };
            put("wait", listed(shown.iter().cloned())?);
        }
    }
    let rules = &input["Rules"];
    for (flag, value) in [
        ("margin", rules["Margin"].as_f64().map(points)),
        ("budget", rules["Budget"].as_f64().map(|share| share.to_string())),
        ("min-requests", rules["CanaryRequestsMin"].as_u64().map(|count| count.to_string())),
        ("max-duration", duration(&rules["MaxDurationMs"])),
        ("interval", duration(&rules["IntervalMs"])),
    ] {
        if let Some(value) = value {
            put(flag, value);
        }
    }
    for alarm in input["Alarms"].as_array().into_iter().flatten() {
        put("alarm", text(alarm)?);
    }
    Some(words)
}

fn listed(items: impl Iterator<Item = Option<String>>) -> Option<String> {
    Some(items.collect::<Option<Vec<String>>>()?.join(","))
}

/// `2pp`, without the digits that a multiplication leaves.
fn points(share: f64) -> String {
    format!("{}pp", (share * 1e8).round() / 1e6)
}

fn duration(value: &Json) -> Option<String> {
    let ms = value.as_u64()?;
    Some(match ms {
        0 => "0s".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    })
}
