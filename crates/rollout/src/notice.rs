//! What those are told who asked to be told of a rollout's changes: the same wherever it is driven.

use pitbird_names::Percent;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Outcome, Phase, Plan, State};

/// Who may be told of one rollout at most.
pub const NOTIFICATIONS_MAX: usize = 4;

/// How a rollout stands, as far as a change of it is news: its phase, its pause, its gate and its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    phase: String,
    is_paused: bool,
    is_at_gate: bool,
    percent: Percent,
}

impl Standing {
    pub fn of(plan: &Plan, state: &State) -> Standing {
        Standing {
            phase: phase(state.phase()).to_owned(),
            is_paused: state.is_paused(),
            is_at_gate: state.gate_until_ms(plan).is_some(),
            percent: state.weight(),
        }
    }
}

/// What the executor alone knows.
#[derive(Debug, Clone, PartialEq)]
pub struct About<'a> {
    /// Epoch milliseconds.
    pub time: u64,
    pub account: Option<&'a str>,
    pub region: &'a str,
    pub rollout: &'a str,
    pub target: String,
    pub reason: &'a str,
    /// The number of the rollout's newest record: of two notices the one with the larger number is the newer.
    pub entry: u64,
}

/// `{"source":"pitbird.rollouts","time":<epoch ms>,"account":…,"region":…,"rollout":…,"target":…,"status":…,"phase":…,
/// "percent":…,"reason":…,"generation":…,"entry":…,"gate_until":<epoch ms or null>,"exit_code":<or null>}`.
pub fn body(plan: &Plan, state: &State, about: About<'_>) -> String {
    json!({
        "source": "pitbird.rollouts",
        "time": about.time,
        "account": about.account,
        "region": about.region,
        "rollout": about.rollout,
        "target": about.target,
        "status": status(plan, state),
        "phase": phase(state.phase()),
        "percent": state.weight().get(),
        "reason": about.reason,
        "generation": state.generation(),
        "entry": about.entry,
        "gate_until": state.gate_until_ms(plan),
        "exit_code": state.outcome().map(Outcome::exit_code),
    })
    .to_string()
}

/// One word for how a rollout stands.
pub fn status(plan: &Plan, state: &State) -> &'static str {
    match state.step(plan) {
        crate::Step::Finished { outcome } => match outcome {
            Outcome::Promoted => "Promoted",
            Outcome::RolledBack => "RolledBack",
            Outcome::Aborted => "Aborted",
            Outcome::Inconclusive => "Inconclusive",
            Outcome::TimedOut => "TimedOut",
            Outcome::Failed => "Failed",
        },
        _ if state.is_paused() => "Paused",
        _ => "InProgress",
    }
}

pub fn phase(phase: &Phase) -> &'static str {
    match phase {
        Phase::Pending => "Pending",
        Phase::Shifting { .. } => "Shifting",
        Phase::Watching { .. } => "Watching",
        Phase::Promoting => "Promoting",
        Phase::RollingBack { .. } => "RollingBack",
        Phase::Ended { .. } => "Ended",
    }
}
