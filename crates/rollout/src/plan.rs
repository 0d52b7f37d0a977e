//! What is to be done with a release, decided once, before anything moves.

mod deviation;
mod guardrails;
mod hooks;
mod judged;
mod ramp;

pub use guardrails::{ABOVE_MS_MAX, CEILINGS_MAX, Guardrail, Guardrails, LatencyCeiling, WhenBlind};
pub use hooks::{HOOKS_MAX, Hook, HookPoint, Patience, WHOM_BYTES_MAX, Whom};
pub use judged::{
    HISTORY_PATIENCE_MS, HISTORY_REQUESTS, HISTORY_REQUESTS_MIN, Judged, LATENCY_HISTORY, Latency, SLOWER_BY,
};
pub use ramp::Ramp;

use pitbird_analysis::Thresholds;
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Steps of a ramp at most.
pub const STEPS_MAX: usize = 32;
/// A wait at one weight at most, ms: two days, CodeDeploy's longest.
pub const WAIT_MS_MAX: u64 = 2 * 24 * 3_600_000;
/// A rollout at most, ms: a week.
pub const DURATION_MS_MAX: u64 = 7 * 24 * 3_600_000;
/// Vetoing alarms at most, as many as CodeDeploy takes.
pub const ALARMS_MAX: usize = 10;
/// Pre-checks at most.
pub const CHECKS_MAX: usize = 16;
/// An alarm's or pre-check's name, bytes. CloudWatch's bound for alarm names.
pub const NAME_BYTES_MAX: usize = 255;
/// A target's description, bytes.
pub const TARGET_BYTES_MAX: usize = 2048;

/// The pre-check of rollouts that have environments of the canary started beforehand: they are ready.
pub const PRE_WARMED: &str = "pre-warmed";

/// A rollout as it was ordered. What it holds has been checked; it never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub struct Plan(Draft);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    target: Target,
    #[serde(default = "standard_steps")]
    steps: Vec<RampStep>,
    #[serde(default)]
    rules: Rules,
    /// Absent: every step's weight at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ramp: Option<Ramp>,
    #[serde(default, skip_serializing_if = "Judged::is_errors_only")]
    judged: Judged,
    #[serde(default, skip_serializing_if = "Guardrails::is_empty")]
    guardrails: Guardrails,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<Hook>,
}

/// What is rolled out. The planner looks at neither part; they belong to the plan's fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub kind: TargetKind,
    /// Which one, in the executor's words, at most [`TARGET_BYTES_MAX`] bytes.
    pub description: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A canary on a REST API's stage.
    StageCanary,
    /// A weighted alias of a function.
    FunctionAlias,
}

/// One weight of the ramp and how long to stay at least. The wait of the last step is the bake.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RampStep {
    pub percent: Percent,
    pub wait_ms: u64,
    /// A person has to let it go on: it is left after a [`Action::Resume`](crate::Action::Resume) alone, once everything else
    /// allows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gate: bool,
}

/// When to go on, when to go back, and what may stop it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The chance that an equally good canary is ever rolled back for errors.
    pub alpha_rollback: f64,
    /// The chance that a canary worse by the margin is ever promoted.
    pub alpha_promote: f64,
    /// The difference of error rates (0 to 1) that is still accepted.
    pub margin: f64,
    /// The error rate that a canary with more than half of the traffic may have before that is cut to half, so that
    /// there is something to compare it with. Five times the base's own rate is accepted too, if that is more.
    pub budget: f64,
    /// Canary requests to be seen at every weight before it is left for a higher one.
    pub canary_requests_min: u64,
    /// The rollout's longest duration, pauses included, ms. Without enough evidence by then it ends inconclusive.
    pub max_duration_ms: u64,
    /// How long the target may take for a shift or the promotion, ms.
    pub deadline_ms: u64,
    /// How long a gate waits for a person, ms; then the rollout ends inconclusive.
    #[serde(skip_serializing_if = "is_usual_gate")]
    pub gate_timeout_ms: u64,
    /// How often to look, ms.
    pub interval_ms: u64,
    /// CloudWatch alarms that veto: none of them in ALARM may be promoted over; once traffic is shifted, it rolls back.
    pub alarms: Vec<String>,
    /// Checks that must pass before anything moves.
    pub checks: Vec<String>,
    /// What to do where evidence is missing.
    #[serde(skip_serializing_if = "WhenBlind::is_usual")]
    pub when_blind: WhenBlind,
}

/// How long a gate waits unless the plan says otherwise, ms, and at most: as long as a weight may stay.
pub const GATE_TIMEOUT_MS: u64 = 3_600_000;
pub const GATE_TIMEOUT_MS_MAX: u64 = WAIT_MS_MAX;

/// Plans that were made before there were gates keep their fingerprints.
fn is_usual_gate(timeout_ms: &u64) -> bool {
    *timeout_ms == GATE_TIMEOUT_MS
}

impl RampStep {
    /// Without a gate.
    pub fn new(percent: Percent, wait_ms: u64) -> RampStep {
        RampStep { percent, wait_ms, gate: false }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            alpha_rollback: 0.001,
            alpha_promote: 0.01,
            margin: 0.005,
            budget: 0.01,
            canary_requests_min: 100,
            max_duration_ms: 6 * 3_600_000,
            deadline_ms: 60_000,
            gate_timeout_ms: GATE_TIMEOUT_MS,
            interval_ms: 1_000,
            alarms: Vec::new(),
            checks: Vec::new(),
            when_blind: WhenBlind::default(),
        }
    }
}

/// Waits that a ramp has unless it says otherwise, ms.
pub const WAIT_MS: u64 = 120_000;
/// The bake that a ramp has unless it says otherwise, ms.
pub const BAKE_MS: u64 = 600_000;

/// The ramp that a plan has unless it says otherwise: 10 %, 50 %, 100 %.
pub fn standard_steps() -> Vec<RampStep> {
    let step = |percent, wait_ms| RampStep::new(Percent::new(percent).expect("a percentage"), wait_ms);
    vec![step(10.0, WAIT_MS), step(50.0, WAIT_MS), step(100.0, BAKE_MS)]
}

/// The steps of a rollout that finds its own ramp: up to 50 % until the evidence suffices, then 95 % with a holdback of
/// 5 % to compare with.
pub fn adaptive_steps() -> Vec<RampStep> {
    let step = |percent, wait_ms| RampStep::new(Percent::new(percent).expect("a percentage"), wait_ms);
    vec![step(50.0, ADAPTIVE_WAIT_MS), step(95.0, BAKE_MS)]
}

/// The shortest time that a rollout which finds its own ramp compares before it believes, ms.
pub const ADAPTIVE_WAIT_MS: u64 = 60_000;

/// Why a plan is none.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    #[error("a rollout needs 1 to {STEPS_MAX} steps, not {0}")]
    Steps(usize),
    #[error("step {step} goes to {percent} %; steps must rise from above 0 % to at most 100 %")]
    NotRising { step: usize, percent: f64 },
    #[error("the first step goes to 100 % and leaves nothing to compare the canary with")]
    AllAtOnce,
    #[error("step {step} waits {wait_ms} ms; at most {WAIT_MS_MAX} ms are allowed")]
    Wait { step: usize, wait_ms: u64 },
    #[error("the steps wait {waits_ms} ms in all, which does not fit into max_duration_ms {max_duration_ms}")]
    NoTime { waits_ms: u64, max_duration_ms: u64 },
    #[error("{name} is {value}; it must lie between {low} and {high}")]
    Range { name: &'static str, value: f64, low: f64, high: f64 },
    #[error("{name} is {value}; at most six decimals are allowed")]
    Decimals { name: &'static str, value: f64 },
    #[error("{name} names {count} things; at most {max} are allowed")]
    TooMany { name: &'static str, count: usize, max: usize },
    #[error("{name} names {text:?}; names are 1 to {NAME_BYTES_MAX} bytes long and given once")]
    Name { name: &'static str, text: String },
    #[error("guardrails.latency has two limits for quantile {0}")]
    QuantileTwice(f64),
    #[error("hook {hook:?} asks nobody, or one whose name has more than {WHOM_BYTES_MAX} bytes")]
    HookWhom { hook: String },
    #[error("hook {hook:?} is at {percent} %, which is no step of its kind")]
    HookPercent { hook: String, percent: f64 },
    #[error("the target's description is {0} bytes long; at most {TARGET_BYTES_MAX} are allowed")]
    Target(usize),
}

impl Plan {
    pub fn new(target: Target, steps: Vec<RampStep>, rules: Rules) -> Result<Plan, Error> {
        let (judged, guardrails) = (Judged::default(), Guardrails::default());
        Draft { target, steps, rules, ramp: None, judged, guardrails, hooks: Vec::new() }.try_into()
    }

    /// The same plan with a ramp of its own finding, or other things to judge.
    pub fn with(self, ramp: Option<Ramp>, judged: Judged) -> Result<Plan, Error> {
        Draft { ramp, judged, ..self.0 }.try_into()
    }

    /// The same plan with limits that the canary may not exceed.
    pub fn guarded(self, guardrails: Guardrails) -> Result<Plan, Error> {
        Draft { guardrails, ..self.0 }.try_into()
    }

    /// The same plan with hooks that are asked on the way.
    pub fn hooked(self, hooks: Vec<Hook>) -> Result<Plan, Error> {
        Draft { hooks, ..self.0 }.try_into()
    }

    /// Finds its own ramp, by the standard rules.
    pub fn adaptive(target: Target) -> Result<Plan, Error> {
        Plan::new(target, adaptive_steps(), Rules::default())?.with(Some(Ramp::default()), Judged::default())
    }

    /// 10 %, 50 %, 100 % with the standard waits and rules.
    pub fn standard(target: Target) -> Result<Plan, Error> {
        Plan::new(target, standard_steps(), Rules::default())
    }

    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// At least one.
    pub fn steps(&self) -> &[RampStep] {
        &self.0.steps
    }

    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// How the weight rises within a step; absent: at once.
    pub fn ramp(&self) -> Option<&Ramp> {
        self.0.ramp.as_ref()
    }

    /// What is judged besides the error rate of all requests together.
    pub fn judged(&self) -> &Judged {
        &self.0.judged
    }

    /// What the canary may not exceed, whatever the base does.
    pub fn guardrails(&self) -> &Guardrails {
        &self.0.guardrails
    }

    /// Who is asked whether it may go on, in this order.
    pub fn hooks(&self) -> &[Hook] {
        &self.0.hooks
    }

    /// What differs from the standard waits and rules, one sentence each. Whoever reports a verdict reports these too.
    pub fn deviations(&self) -> Vec<String> {
        deviation::deviations(self)
    }

    /// 16 hexadecimal digits that change whenever the plan does.
    pub fn fingerprint(&self) -> String {
        let json = serde_json::to_vec(self).expect("a plan is plain data");
        Sha256::digest(json).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn thresholds(&self) -> Thresholds {
        let Rules { alpha_rollback, alpha_promote, margin, .. } = self.0.rules;
        Thresholds { alpha_rollback, alpha_promote, margin }
    }
}

impl TryFrom<Draft> for Plan {
    type Error = Error;

    fn try_from(draft: Draft) -> Result<Plan, Error> {
        if draft.target.description.len() > TARGET_BYTES_MAX {
            return Err(Error::Target(draft.target.description.len()));
        }
        check_steps(&draft.steps)?;
        check_rules(&draft.rules)?;
        draft.ramp.as_ref().map_or(Ok(()), Ramp::check)?;
        draft.judged.check()?;
        draft.guardrails.check()?;
        hooks::check(&draft.hooks, &draft.steps)?;
        let waits_ms = draft.steps.iter().map(|step| step.wait_ms).sum();
        let max_duration_ms = draft.rules.max_duration_ms;
        if waits_ms >= max_duration_ms {
            return Err(Error::NoTime { waits_ms, max_duration_ms });
        }
        Ok(Plan(draft))
    }
}

impl From<Plan> for Draft {
    fn from(plan: Plan) -> Draft {
        plan.0
    }
}

fn check_steps(steps: &[RampStep]) -> Result<(), Error> {
    if !(1..=STEPS_MAX).contains(&steps.len()) {
        return Err(Error::Steps(steps.len()));
    }
    let mut below = 0.0;
    for (i, step) in steps.iter().enumerate() {
        let percent = decimals("percent", step.percent.get())?;
        if percent <= below {
            return Err(Error::NotRising { step: i + 1, percent });
        }
        if step.wait_ms > WAIT_MS_MAX {
            return Err(Error::Wait { step: i + 1, wait_ms: step.wait_ms });
        }
        below = percent;
    }
    if steps[0].percent.get() == 100.0 { Err(Error::AllAtOnce) } else { Ok(()) }
}

fn range(name: &'static str, value: f64, low: f64, high: f64) -> Result<f64, Error> {
    let fits = (low..=high).contains(&value);
    if fits { Ok(value) } else { Err(Error::Range { name, value, low, high }) }
}

fn check_rules(rules: &Rules) -> Result<(), Error> {
    for (name, value, low, high) in [
        ("alpha_rollback", rules.alpha_rollback, 1.0e-6, 0.1),
        ("alpha_promote", rules.alpha_promote, 1.0e-6, 0.1),
        ("margin", rules.margin, 0.001, 0.5),
        ("budget", rules.budget, 0.0001, 0.25),
    ] {
        decimals(name, range(name, value, low, high)?)?;
    }
    for (name, value, low, high) in [
        ("canary_requests_min", rules.canary_requests_min, 1, 1_000_000_000),
        ("max_duration_ms", rules.max_duration_ms, 1_000, DURATION_MS_MAX),
        ("deadline_ms", rules.deadline_ms, 1_000, 3_600_000),
        ("gate_timeout_ms", rules.gate_timeout_ms, 1_000, GATE_TIMEOUT_MS_MAX),
        ("interval_ms", rules.interval_ms, 50, 600_000),
    ] {
        range(name, value as f64, low as f64, high as f64)?;
    }
    check_names("alarms", &rules.alarms, ALARMS_MAX)?;
    check_names("checks", &rules.checks, CHECKS_MAX)
}

/// A number with few decimals comes back the same from every JSON reader, however carelessly it rounds.
fn decimals(name: &'static str, value: f64) -> Result<f64, Error> {
    let same = (value * 1e6).round() / 1e6 == value;
    if same { Ok(value) } else { Err(Error::Decimals { name, value }) }
}

fn check_names(name: &'static str, texts: &[String], max: usize) -> Result<(), Error> {
    if texts.len() > max {
        return Err(Error::TooMany { name, count: texts.len(), max });
    }
    for (i, text) in texts.iter().enumerate() {
        if text.is_empty() || text.len() > NAME_BYTES_MAX || texts[..i].contains(text) {
            return Err(Error::Name { name, text: text.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
