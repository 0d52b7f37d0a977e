use std::time::Duration;

use pitbird_rollout::Outcome;
use serde_json::Value as Json;

use crate::json::parse_timestamp;
use crate::operation::snake;

/// A rollout as it is shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RolloutView {
    pub name: String,
    /// `stage prod of REST API a1b2c3d4e5`.
    pub target: String,
    /// `deployment x9y8z7`.
    pub canary: String,
    pub progress: Progress,
    /// Why it stands where it stands, in the planner's words.
    pub reason: String,
    pub steps: Vec<Step>,
    /// Index of the step it is at, or was at when it went back.
    pub step: Option<usize>,
    /// The canary's share now, in percent.
    pub percent: f64,
    pub base: Arm,
    pub canary_arm: Arm,
    /// `None` before anything was seen.
    pub evidence: Option<Evidence>,
    /// Which parts of both sides' requests are slow, in words; none where latency isn't judged or nothing was timed.
    pub slow: Option<String>,
    /// Requests that both sides answered, in words; none where these aren't judged.
    pub pairs: Option<String>,
    /// The limits that hold whatever the base does, and how they stand, in words.
    pub guardrails: Vec<Guardrail>,
    /// Routes that are judged by themselves.
    pub routes: usize,
    /// What hooks were asked last, and what they said, in words.
    pub hooks: Vec<String>,
    /// Since the rollout began, or from its beginning to its end.
    pub elapsed: Duration,
    /// Until the present step's wait is over.
    pub remaining: Option<Duration>,
    /// What differs from the standard waits and rules.
    pub deviations: Vec<String>,
    /// What the canary has used, and what that would cost on AWS, in words; none before it has used anything.
    pub canary_cost: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    #[default]
    InProgress,
    Paused,
    Ended(Outcome),
}

impl Progress {
    /// Reads the service's status; one that we don't know is in progress.
    pub fn parse(status: &str) -> Progress {
        match status {
            "Paused" => Progress::Paused,
            "Promoted" => Progress::Ended(Outcome::Promoted),
            "RolledBack" => Progress::Ended(Outcome::RolledBack),
            "Aborted" => Progress::Ended(Outcome::Aborted),
            "Inconclusive" => Progress::Ended(Outcome::Inconclusive),
            "TimedOut" => Progress::Ended(Outcome::TimedOut),
            "Failed" => Progress::Ended(Outcome::Failed),
            _ => Progress::InProgress,
        }
    }

    pub fn words(self) -> String {
        match self {
            Progress::InProgress => "in progress".to_owned(),
            Progress::Paused => "paused".to_owned(),
            Progress::Ended(outcome) => outcome.to_string(),
        }
    }
}

/// A weight of the ramp, percent, and how long to stay at least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub percent: f64,
    pub wait: Duration,
}

/// What one side did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Arm {
    pub requests: u64,
    pub failures: u64,
    /// Where it is known.
    pub requests_per_s: Option<f64>,
    /// The 99th percentile, where it is known.
    pub latency_ms_p99: Option<f64>,
}

impl Arm {
    /// Failures per request; `None` before the first.
    pub fn rate(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.failures as f64 / self.requests as f64)
    }
}

/// A limit on the canary, and how it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guardrail {
    pub words: String,
    pub is_broken: bool,
}

/// What the judge makes of it. Evidence is the natural logarithm of an e-value; at its threshold it decides.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    pub verdict: Verdict,
    pub log_e_worse: f64,
    pub threshold_worse: f64,
    pub log_e_not_worse: f64,
    pub threshold_not_worse: f64,
    /// The canary's error rate is above the base's by no more than this, as a share.
    pub harm_upper: Option<f64>,
    /// The difference that is accepted, as a share.
    pub margin: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    Worse,
    NotWorse,
    #[default]
    Unknown,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Worse => "worse",
            Verdict::NotWorse => "not worse",
            Verdict::Unknown => "not known yet",
        }
    }
}

impl RolloutView {
    /// Reads `Rollout` of the service's answer. What is missing is empty. `now` is seconds since 1970.
    pub fn from_json(rollout: &Json, now: f64) -> RolloutView {
        let time = |name: &str| rollout[name].as_str().and_then(parse_timestamp);
        let until = time("EndedAt").unwrap_or(now);
        let evidence = &rollout["Evidence"];
        let steps: Vec<Step> = rollout["Steps"].as_array().into_iter().flatten().map(step).collect();
        let at = rollout["StepIndex"].as_u64().and_then(|at| usize::try_from(at).ok());
        RolloutView {
            name: text(&rollout["Name"]),
            target: target(&rollout["Target"]),
            canary: canary(&rollout["Canary"]),
            progress: Progress::parse(rollout["Status"].as_str().unwrap_or_default()),
            reason: text(&rollout["StatusReason"]),
            step: at.or_else(|| last_step(rollout, &steps)),
            steps,
            percent: rollout["Percent"].as_f64().unwrap_or_default(),
            base: arm(&evidence["Base"]),
            canary_arm: arm(&evidence["Canary"]),
            evidence: evidence.is_object().then(|| read_evidence(evidence)),
            slow: slow(&evidence["Latency"]),
            pairs: pairs(&evidence["Pairs"]),
            guardrails: evidence["Guardrails"].as_array().into_iter().flatten().map(guardrail).collect(),
            routes: rollout["Routes"].as_array().map_or(0, Vec::len),
            hooks: hooks(&rollout["Questions"]),
            elapsed: seconds(until - time("StartedAt").unwrap_or(until)),
            remaining: time("WaitUntil").filter(|end| *end > now).map(|end| seconds(end - now)),
            deviations: rollout["Deviations"].as_array().into_iter().flatten().map(text).collect(),
            canary_cost: canary_cost(&rollout["CanaryUsage"]),
        }
    }
}

/// `stage prod of REST API a1b2c3d4e5`, `alias live of function app`, `aliases live of orders, live of carts`.
pub fn target(target: &Json) -> String {
    let (stage, alias) = (&target["RestStage"], &target["LambdaAlias"]);
    if stage.is_object() {
        format!("stage {} of REST API {}", text(&stage["StageName"]), text(&stage["RestApiId"]))
    } else if alias.is_object() {
        format!("alias {} of function {}", text(&alias["AliasName"]), text(&alias["FunctionName"]))
    } else if let Some(aliases) = target["LambdaAliases"].as_array() {
        let alias =
            |alias: &Json| format!("{} of {}", text(&alias["AliasName"]), text(&alias["FunctionName"]));
        format!("aliases {}", aliases.iter().map(alias).collect::<Vec<_>>().join(", "))
    } else {
        String::new()
    }
}

/// `deployment x9y8z7, alias=canary`, `version 2`, `version 7 of orders, version 3 of carts`.
pub fn canary(canary: &Json) -> String {
    let mut words = Vec::new();
    if let Some(id) = canary["DeploymentId"].as_str() {
        words.push(format!("deployment {id}"));
    }
    if let Some(version) = canary["FunctionVersion"].as_str() {
        words.push(format!("version {version}"));
    }
    for (function, version) in canary["FunctionVersions"].as_object().into_iter().flatten() {
        words.push(format!("version {} of {function}", text(version)));
    }
    for (name, value) in canary["StageVariableOverrides"].as_object().into_iter().flatten() {
        words.push(format!("{name}={}", text(value)));
    }
    words.join(", ")
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.max(0.0)).unwrap_or_default()
}

fn step(step: &Json) -> Step {
    Step {
        percent: step["Percent"].as_f64().unwrap_or_default(),
        wait: Duration::from_millis(step["WaitMs"].as_u64().unwrap_or_default()),
    }
}

/// The step whose weight the rollout last had: a rollout that has ended is at none.
fn last_step(rollout: &Json, steps: &[Step]) -> Option<usize> {
    let decisions = rollout["Decisions"].as_array()?;
    let weights = decisions.iter().rev().filter_map(|decision| decision["FromPercent"].as_f64());
    let weight = weights.into_iter().find(|percent| *percent > 0.0)?;
    steps.iter().position(|step| step.percent == weight)
}

/// `0.0012 USD on AWS: 32 requests, 0.0438 GB-seconds`.
fn canary_cost(used: &Json) -> Option<String> {
    let count = |name: &str| used[name].as_u64().unwrap_or_default();
    let requests = count("Requests").max(count("FunctionRequests"));
    let gb_s =
        ["GigabyteSeconds", "ProvisionedGigabyteSeconds"].map(|name| used[name].as_f64().unwrap_or_default());
    let (cost, currency) = (used["EstimatedCost"].as_str()?, used["Currency"].as_str()?);
    let gb_s: f64 = gb_s.iter().sum();
    (requests > 0).then(|| format!("{cost} {currency} on AWS: {requests} requests, {gb_s:.4} GB-seconds"))
}

fn arm(arm: &Json) -> Arm {
    Arm {
        requests: arm["Requests"].as_u64().unwrap_or_default(),
        failures: arm["Failures"].as_u64().unwrap_or_default(),
        ..Arm::default()
    }
}

/// `above 20.3 ms (p50): base 50.0 %, canary 78.1 %; above 63.9 ms (p99): base 1.0 %, canary 3.1 %`.
fn slow(latency: &Json) -> Option<String> {
    let requests = |name: &str| latency[name].as_f64().filter(|requests| *requests > 0.0);
    let (base, canary) = (requests("BaseRequests")?, requests("CanaryRequests")?);
    let shown = latency["Thresholds"].as_array()?.iter().filter_map(|threshold| {
        let quantile = threshold["Quantile"].as_f64().filter(|quantile| [0.5, 0.99].contains(quantile))?;
        let share = |name: &str, all: f64| Some(100.0 * threshold[name].as_f64()? / all);
        let (base, canary) = (share("BaseAbove", base)?, share("CanaryAbove", canary)?);
        let base_ms = threshold["BaseMs"].as_f64()?;
        Some(format!("above {base_ms:.1} ms (p{}): base {base:.1} %, canary {canary:.1} %", quantile * 100.0))
    });
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| shown.join("; "))
}

/// `1340 answered by both; the canary alone failed 2, the base alone 0`.
fn pairs(found: &Json) -> Option<String> {
    let count = |name: &str| found[name].as_u64();
    let (requests, canary, base) = (count("Requests")?, count("CanaryAlone")?, count("BaseAlone")?);
    Some(format!("{requests} answered by both; the canary alone failed {canary}, the base alone {base}"))
}

/// `p99 at most 800 ms: 3 of 1001 requests beyond it, evidence 0.2 of 7.6`.
fn guardrail(found: &Json) -> Guardrail {
    let count = |name: &str| found[name].as_u64().unwrap_or_default();
    let number = |name: &str| found[name].as_f64().unwrap_or_default();
    let words = format!(
        "{}: {} of {} requests beyond it, evidence {:.1} of {:.1}",
        text(&found["Guardrail"]),
        count("CanaryBeyond"),
        count("CanaryRequests"),
        number("LogE").max(0.0),
        number("Threshold"),
    );
    Guardrail { words, is_broken: found["Broken"] == true }
}

/// Questions that are shown, the newest.
const QUESTIONS_MAX: usize = 4;

/// `smoke, before step 50 %: not yet, call 3: warming up`.
fn hooks(questions: &Json) -> Vec<String> {
    let all = questions.as_array().map_or(&[][..], Vec::as_slice);
    let newest = &all[all.len().saturating_sub(QUESTIONS_MAX)..];
    newest.iter().map(question).collect()
}

fn question(asked: &Json) -> String {
    let is_open = asked["EndedAt"].is_null();
    let percent = asked["Percent"].as_f64().map(|percent| format!(" {percent} %")).unwrap_or_default();
    let answer = match asked["Answer"].as_str() {
        Some("NotYet") => "not yet",
        Some("Failed") => "no answer",
        Some("Go") => "go",
        Some("Stop") => "stop",
        _ if is_open => "asked",
        _ => "given up",
    };
    let when = snake(asked["When"].as_str().unwrap_or_default()).replace('_', " ");
    let call = match asked["Attempt"].as_u64() {
        Some(attempt) if is_open => format!(", call {attempt}"),
        _ => String::new(),
    };
    let words = asked["Reason"].as_str().filter(|words| !words.is_empty());
    let words = words.map(|words| format!(": {words}")).unwrap_or_default();
    format!("{}, {when}{percent}: {answer}{call}{words}", text(&asked["Hook"]))
}

fn read_evidence(evidence: &Json) -> Evidence {
    let number = |name: &str| evidence[name].as_f64();
    Evidence {
        verdict: match evidence["Verdict"].as_str() {
            Some("Worse") => Verdict::Worse,
            Some("NotWorse") => Verdict::NotWorse,
            _ => Verdict::Unknown,
        },
        log_e_worse: number("LogEWorse").unwrap_or_default(),
        threshold_worse: number("ThresholdWorse").unwrap_or_default(),
        log_e_not_worse: number("LogENotWorse").unwrap_or_default(),
        threshold_not_worse: number("ThresholdNotWorse").unwrap_or_default(),
        harm_upper: number("HarmUpper"),
        margin: number("Margin"),
    }
}
