//! What stands on AWS, what a rollout wants there instead, and the calls between the two. A call that was made already isn't made
//! again, so a change may be done twice.

pub mod alias;
pub mod stage;

use pitbird_names::Percent;
use pitbird_rollout::Step;
use serde::{Deserialize, Serialize};

pub use alias::{AliasSeen, AliasTarget};
pub use stage::{StageSeen, StageTarget};

use crate::marker::Marker;

/// What is rolled out, as it was found when the rollout began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Stage(StageTarget),
    Alias(AliasTarget),
}

/// A target as it is now.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Stage(StageSeen),
    Alias(AliasSeen),
}

/// A change of a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Puts the rollout's sign there and changes nothing else.
    Claim,
    Shift(Percent),
    Promote,
    RollBack,
    /// Takes the sign away and changes nothing else.
    Release,
}

/// What is sent to AWS.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// All of it is set; refused if the alias was changed since it was seen.
    UpdateAlias {
        version: String,
        share: Option<(String, f64)>,
        description: String,
        revision: Option<String>,
    },
    UpdateStage(Vec<Patch>),
    TagStage(String),
    UntagStage,
}

/// One operation of UpdateStage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch {
    Replace { path: String, value: String },
    Remove { path: String },
    Copy { from: &'static str, path: &'static str },
}

/// How a target is not as the rollout made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strayed {
    /// Somebody changed the share or took the sign away, but base and canary are those of this rollout: it goes back to the base.
    Changed(String),
    /// Somebody put something else there: it is left as it is.
    Replaced(String),
}

impl Strayed {
    pub fn words(&self) -> &str {
        match self {
            Strayed::Changed(words) | Strayed::Replaced(words) => words,
        }
    }
}

impl Change {
    /// The change that a step asks for.
    pub fn of(step: &Step) -> Option<(Change, u64)> {
        match step {
            Step::ShiftTo { percent, generation } => Some((Change::Shift(*percent), *generation)),
            Step::Promote { generation } => Some((Change::Promote, *generation)),
            Step::RollBack { generation, .. } => Some((Change::RollBack, *generation)),
            Step::WaitUntil { .. } | Step::Finished { .. } => None,
        }
    }
}

impl Target {
    /// For people.
    pub fn shown(&self) -> String {
        match self {
            Target::Stage(target) => {
                format!("stage {} of {} ({})", target.stage, target.api_name, target.api_id)
            }
            Target::Alias(target) => format!("alias {} of {}", target.alias, target.function),
        }
    }

    /// As others are told of it, here and on a server of our own.
    pub fn name(&self) -> String {
        match self {
            Target::Stage(target) => format!("rest_stage/{}/{}", target.api_id, target.stage),
            Target::Alias(target) => format!("lambda_alias/{}/{}", target.function_name, target.alias),
        }
    }

    pub fn base_and_canary(&self) -> (&str, &str) {
        match self {
            Target::Stage(target) => (&target.base, &target.canary),
            Target::Alias(target) => (&target.base, &target.canary),
        }
    }

    /// How the target differs from what the rollout made of it. `weights` are the shares that it may have: that which was confirmed
    /// last, and that which a step under way gives it. `may_be_promoted` where a promotion was begun.
    pub fn strayed(
        &self,
        seen: &Seen,
        weights: &[Percent],
        marker: &Marker,
        may_be_promoted: bool,
    ) -> Option<Strayed> {
        match (self, seen) {
            (Target::Stage(target), Seen::Stage(seen)) => {
                target.strayed(seen, weights, marker, may_be_promoted)
            }
            (Target::Alias(target), Seen::Alias(seen)) => {
                target.strayed(seen, weights, marker, may_be_promoted)
            }
            _ => Some(Strayed::Replaced("it is a target of another kind".to_owned())),
        }
    }

    /// The calls that a change still needs.
    pub fn calls(&self, seen: &Seen, change: Change, marker: &Marker) -> Result<Vec<Call>, String> {
        match (self, seen) {
            (Target::Stage(target), Seen::Stage(seen)) => Ok(target.calls(seen, change, marker)),
            (Target::Alias(target), Seen::Alias(seen)) => target.calls(seen, change, marker),
            _ => Err("it is a target of another kind".to_owned()),
        }
    }
}

impl Seen {
    pub fn marker(&self) -> Option<Marker> {
        match self {
            Seen::Stage(seen) => seen.marker.as_deref().and_then(Marker::parse),
            Seen::Alias(seen) => Marker::take(&seen.description).0,
        }
    }

    /// For people: what serves, and what has a share.
    pub fn shown(&self) -> String {
        let share = |what: &str, share: Option<(&str, f64)>| match share {
            Some((canary, percent)) => format!(", {percent} % to {what} {canary}"),
            None => String::new(),
        };
        match self {
            Seen::Stage(seen) => {
                let canary = seen.canary.as_ref().map(|canary| (canary.deployment.as_str(), canary.percent));
                format!("deployment {}{}", seen.deployment, share("deployment", canary))
            }
            Seen::Alias(seen) => {
                let canary =
                    seen.share.as_ref().map(|(version, weight)| (version.as_str(), round(weight * 100.0)));
                format!("version {}{}", seen.version, share("version", canary))
            }
        }
    }
}

/// Is the sign there that this rollout put there?
fn signed(found: Option<&Marker>, own: &Marker) -> Option<Strayed> {
    match found {
        Some(found) if found == own => None,
        Some(found) if found.name == own.name => {
            Some(Strayed::Replaced(format!("another run of rollout {} has it", found.name)))
        }
        Some(found) => Some(Strayed::Replaced(format!("rollout {} has it", found.name))),
        None => Some(Strayed::Changed("the sign of this rollout was removed".to_owned())),
    }
}

/// Are two percentages the same, but for what their way through AWS may have cost?
pub(crate) fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-4
}

pub(crate) fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests;
