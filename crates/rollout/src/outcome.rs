use std::fmt;

use pitbird_analysis::{Arm, Firsts, Pairs};
use serde::{Deserialize, Serialize};

use crate::Note;

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The canary has become the base.
    Promoted,
    /// Evidence or an alarm spoke against the canary; base serves everything.
    RolledBack,
    /// A person stopped it; base serves everything.
    Aborted,
    /// The longest duration passed without enough evidence either way; base serves everything.
    Inconclusive,
    /// The target did not finish a shift or the promotion within the plan's deadline; base serves everything.
    TimedOut,
    /// A pre-check failed, or the target refused a step for good. If it refused the rollback, a person has to look: the
    /// weight is what the state says it last was.
    Failed,
}

impl Outcome {
    /// The exit code of a command that waited for this. 2 is a wrong use of the command, which is no outcome.
    pub const fn exit_code(self) -> u8 {
        match self {
            Outcome::Promoted => 0,
            Outcome::Failed => 1,
            Outcome::RolledBack => 10,
            Outcome::Aborted => 11,
            Outcome::Inconclusive => 12,
            Outcome::TimedOut => 13,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Promoted => "promoted",
            Outcome::RolledBack => "rolled back",
            Outcome::Aborted => "aborted",
            Outcome::Inconclusive => "inconclusive",
            Outcome::TimedOut => "timed out",
            Outcome::Failed => "failed",
        })
    }
}

/// Why the base takes over again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The canary's error rate is higher than the base's: `log_e` reached `threshold` (natural logarithms).
    Worse {
        log_e: f64,
        threshold: f64,
        canary: Arm,
        base: Arm,
        /// Where users are counted: those who failed, by the arm that failed them first. On these `log_e` rests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        firsts: Option<Firsts>,
        /// Where pairs are judged: they are a part of the evidence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pairs: Option<Pairs>,
    },
    /// The canary answers slowly more often than the base: as events above the threshold that was
    /// frozen from the base's quantile `quantile` (0 to 1).
    Slower { quantile: f64, log_e: f64, threshold: f64, canary: Arm, base: Arm },
    /// A route of the canary is worse than the base's in this metric. The strongest of all that is worse; `log_e` is
    /// the whole release's.
    RouteWorse { route: Note, metric: Note, log_e: f64, threshold: f64, canary: Arm, base: Arm },
    /// The canary exceeds a limit that holds whatever the base does, in its words; the events are errors, or requests
    /// slower than it allows.
    Guardrail { guardrail: Note, log_e: f64, threshold: f64, canary: Arm, base: Arm },
    /// A vetoing alarm is in state ALARM.
    Alarm { name: String },
    /// With the base about to go, the canary fails more often than `budget` (an error rate).
    OverBudget { budget: f64, log_e: f64, threshold: f64 },
    /// A person ordered it.
    Aborted { by: Note },
    /// The longest duration, in ms, is over.
    OutOfTime { max_duration_ms: u64 },
    /// Nobody opened a gate for so long, in ms.
    GateClosed { timeout_ms: u64 },
    /// A hook said so.
    HookStopped { hook: Note, words: Note },
    /// A hook's calls failed too often in a row.
    HookFailed { hook: Note, words: Note },
    /// A hook didn't say go or stop for so long, in ms.
    HookSilent { hook: Note, wait_ms: u64 },
    /// The target did not finish a step in time, in ms.
    OverDeadline { deadline_ms: u64 },
    /// The target refused a step for good.
    Refused { message: Note },
    /// A pre-check failed.
    CheckFailed { name: String },
}

impl Because {
    pub const fn outcome(&self) -> Outcome {
        match self {
            Because::Worse { .. } | Because::Slower { .. } | Because::RouteWorse { .. } => {
                Outcome::RolledBack
            }
            Because::Alarm { .. } | Because::OverBudget { .. } | Because::Guardrail { .. } => {
                Outcome::RolledBack
            }
            Because::HookStopped { .. } => Outcome::RolledBack,
            Because::Aborted { .. } => Outcome::Aborted,
            Because::OutOfTime { .. } | Because::GateClosed { .. } => Outcome::Inconclusive,
            Because::HookFailed { .. } | Because::HookSilent { .. } => Outcome::Inconclusive,
            Because::OverDeadline { .. } => Outcome::TimedOut,
            Because::Refused { .. } | Because::CheckFailed { .. } => Outcome::Failed,
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Worse { log_e, threshold, canary, base, firsts, pairs } => write!(
                f,
                "canary is worse: {}{}{} of {} requests failed, base {} of {} (log E {log_e:.2}, needed {threshold:.2})",
                pairs.map(answered_twice).unwrap_or_default(),
                firsts.map(clients).unwrap_or_default(),
                canary.events(),
                canary.requests(),
                base.events(),
                base.requests(),
            ),
            Because::Slower { quantile, log_e, threshold, canary, base } => write!(
                f,
                "canary is slower: {} of {} requests above the base's p{}, base {} of {} (log E {log_e:.2}, needed \
                 {threshold:.2})",
                canary.events(),
                canary.requests(),
                quantile * 100.0,
                base.events(),
                base.requests(),
            ),
            Because::RouteWorse { route, metric, log_e, threshold, canary, base } => write!(
                f,
                "canary is worse on {}: {} at {} of {} requests, base {} of {} (log E {log_e:.2}, needed \
                 {threshold:.2})",
                route.as_str(),
                metric.as_str(),
                canary.events(),
                canary.requests(),
                base.events(),
                base.requests(),
            ),
            Because::Guardrail { guardrail, log_e, threshold, canary, base } => write!(
                f,
                "guardrail broken, {}: canary {} of {} requests beyond it, base {} of {} (log E {log_e:.2}, needed \
                 {threshold:.2})",
                guardrail.as_str(),
                canary.events(),
                canary.requests(),
                base.events(),
                base.requests(),
            ),
            Because::Alarm { name } => write!(f, "alarm {name} is in ALARM"),
            Because::OverBudget { budget, log_e, threshold } => write!(
                f,
                "canary fails more than {} % of requests (log E {log_e:.2}, needed {threshold:.2})",
                budget * 100.0
            ),
            Because::Aborted { by } => write!(f, "ordered by {}", by.as_str()),
            Because::OutOfTime { max_duration_ms } => {
                write!(f, "not enough evidence within {} s", *max_duration_ms as f64 / 1e3)
            }
            Because::GateClosed { timeout_ms } => {
                write!(f, "nobody opened the gate within {} s", *timeout_ms as f64 / 1e3)
            }
            Because::HookStopped { hook, words } => {
                write!(f, "hook {} said stop{}", hook.as_str(), said(words))
            }
            Because::HookFailed { hook, words } => {
                write!(f, "hook {} gave no answer{}", hook.as_str(), said(words))
            }
            Because::HookSilent { hook, wait_ms } => {
                write!(
                    f,
                    "hook {} said neither go nor stop within {} s",
                    hook.as_str(),
                    *wait_ms as f64 / 1e3
                )
            }
            Because::OverDeadline { deadline_ms } => {
                write!(f, "target did not finish within {} s", *deadline_ms as f64 / 1e3)
            }
            Because::Refused { message } => write!(f, "target refused: {}", message.as_str()),
            Because::CheckFailed { name } => write!(f, "pre-check {name} failed"),
        }
    }
}

fn clients(Firsts { canary, base }: Firsts) -> String {
    format!("{canary} clients failed for the first time there, {base} on base; ")
}

fn answered_twice(Pairs { pairs, canary_alone, base_alone }: Pairs) -> String {
    format!(
        "of {pairs} requests that both answered {canary_alone} failed on it alone, {base_alone} on base alone; "
    )
}

/// `: ` and the words, if there are any.
pub(crate) fn said(words: &Note) -> String {
    if words.as_str().is_empty() { String::new() } else { format!(": {}", words.as_str()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_as_published() {
        use Outcome::{Aborted, Failed, Inconclusive, Promoted, RolledBack, TimedOut};
        let codes = [Promoted, Failed, RolledBack, Aborted, Inconclusive, TimedOut].map(Outcome::exit_code);
        assert_eq!(codes, [0, 1, 10, 11, 12, 13]);
    }
}
