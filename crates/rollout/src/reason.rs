use std::fmt;

use pitbird_analysis::Arm;
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use crate::outcome::said;
use crate::{Because, Note, Outcome};

/// Why the state is what it is after an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Began,
    /// Not started: a pre-check has not been heard of.
    CheckMissing {
        name: String,
    },
    /// Not started: an alarm is in ALARM already.
    AlarmRinging {
        name: String,
    },
    /// Held: the state of a vetoing alarm is not known.
    AlarmUnknown {
        name: String,
    },
    Paused,
    Resumed,
    /// Held: requests are not split as configured, so that no comparison can be trusted to promote.
    SplitBroken {
        log_e: f64,
        threshold: f64,
    },
    /// Held: worse, but by few errors that all come from one environment.
    OneEnvironment {
        events: u64,
    },
    /// The step's wait is not over before this time, epoch ms.
    Waiting {
        until_ms: u64,
    },
    /// Held: too few canary requests at this weight.
    FewRequests {
        seen: u64,
        needed: u64,
    },
    /// Held: the canary may still be worse by `harm_upper`, more than the margin.
    MoreEvidence {
        harm_upper: f64,
        margin: f64,
    },
    /// Held: the canary may still be slower than is accepted, as shares of requests above the base's p50 and p99.
    MoreLatency {
        body_upper: f64,
        body_margin: f64,
        tail_upper: f64,
        tail_margin: f64,
    },
    /// Held: too few of the canary's requests were measured against a guardrail.
    GuardrailUnseen {
        guardrail: Note,
        seen: u64,
        needed: u64,
    },
    /// Held: nobody could read the counts.
    Blind,
    /// Held: no canary request was seen since this time, epoch ms, much longer than its traffic lets expect.
    Silent {
        since_ms: u64,
    },
    /// The canary fails more often than `budget`: its weight is cut, so that it can be compared with the base.
    Retreating {
        budget: f64,
        log_e: f64,
    },
    /// Held: the canary fails more often than its budget, and the base does too.
    BothFail {
        base: Arm,
    },
    /// Held: the weight is cut, and both arms are compared at least until this time, epoch ms.
    Retreated {
        until_ms: u64,
    },
    /// Held: the gate of this weight is closed, and a person may open it.
    Gate {
        percent: Percent,
    },
    /// Held: a hook has yet to say go; what it said last.
    Asking {
        hook: Note,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Note>,
    },
    /// The target has yet to say that the step is done.
    TargetBusy,
    /// The target has had longer than its deadline for the rollback. It goes on trying.
    RollbackOverdue,
    Shifting {
        percent: Percent,
    },
    Watching {
        percent: Percent,
    },
    /// The evidence suffices: the canary is worse by at most `harm_upper`.
    NotWorse {
        harm_upper: f64,
        margin: f64,
    },
    /// A person ordered the promotion.
    Ordered {
        by: Note,
        reason: Note,
    },
    RollingBack {
        because: Because,
    },
    /// `because` is absent where the canary was promoted.
    Ended {
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Began => write!(f, "began"),
            Reason::CheckMissing { name } => write!(f, "not started: pre-check {name} has not passed yet"),
            Reason::AlarmRinging { name } => write!(f, "not started: alarm {name} is in ALARM"),
            Reason::AlarmUnknown { name } => write!(f, "held: state of alarm {name} is unknown"),
            Reason::Paused => write!(f, "paused"),
            Reason::Resumed => write!(f, "resumed"),
            Reason::SplitBroken { log_e, threshold } => {
                write!(f, "held: split is not as configured (log E {log_e:.2}, noticed from {threshold:.2})")
            }
            Reason::OneEnvironment { events } => {
                write!(f, "held: looks worse, but all {events} errors come from one environment")
            }
            Reason::Waiting { .. } => f.write_str("waiting for the time of this step to pass"),
            Reason::FewRequests { seen, needed } => {
                write!(f, "held: {seen} of {needed} canary requests seen at this weight")
            }
            Reason::MoreEvidence { harm_upper, margin } => {
                write!(
                    f,
                    "held: canary may be worse by {} pp, accepted are {} pp",
                    points(*harm_upper),
                    points(*margin)
                )
            }
            Reason::MoreLatency { body_upper, body_margin, tail_upper, tail_margin } => write!(
                f,
                "held: canary may be slow more often by {} pp above the base's p50 and {} pp above its p99, accepted \
                 are {} pp and {} pp",
                points(*body_upper),
                points(*tail_upper),
                points(*body_margin),
                points(*tail_margin)
            ),
            Reason::GuardrailUnseen { guardrail, seen, needed } => {
                write!(f, "held: {seen} of {needed} canary requests measured against {}", guardrail.as_str())
            }
            Reason::Blind => write!(f, "held: counts could not be read"),
            Reason::Silent { .. } => write!(f, "held: canary has not been heard of for too long"),
            Reason::Retreating { budget, log_e } => write!(
                f,
                "canary fails more than {} % of requests (log E {log_e:.2}): cutting its weight to compare",
                points(*budget)
            ),
            Reason::BothFail { base } => {
                write!(f, "held: both fail; of the base {} of {} requests", base.events(), base.requests())
            }
            Reason::Retreated { .. } => write!(f, "held: comparing at half of the traffic"),
            Reason::Gate { percent } => {
                write!(f, "waiting at the gate of {} % for somebody to resume it", percent.get())
            }
            Reason::Asking { hook, words } => {
                let words = words.as_ref().map(said).unwrap_or_default();
                write!(f, "waiting for hook {}{words}", hook.as_str())
            }
            Reason::TargetBusy => write!(f, "waiting for the target"),
            Reason::RollbackOverdue => write!(f, "rollback is overdue; trying on"),
            Reason::Shifting { percent } => write!(f, "shifting to {} %", percent.get()),
            Reason::Watching { percent } => write!(f, "watching at {} %", percent.get()),
            Reason::NotWorse { harm_upper, margin } => {
                write!(
                    f,
                    "promoting: canary is worse by at most {} pp, accepted are {} pp",
                    points(*harm_upper),
                    points(*margin)
                )
            }
            Reason::Ordered { by, reason } => {
                write!(
                    f,
                    "promoting without waiting for evidence, ordered by {}: {}",
                    by.as_str(),
                    reason.as_str()
                )
            }
            Reason::RollingBack { because } => write!(f, "rolling back: {because}"),
            Reason::Ended { outcome, because: None } => write!(f, "{outcome}"),
            Reason::Ended { outcome, because: Some(because) } => write!(f, "{outcome}: {because}"),
        }
    }
}

/// A difference of rates in percentage points.
fn points(difference: f64) -> f64 {
    (difference * 1e6).round() / 1e4
}
