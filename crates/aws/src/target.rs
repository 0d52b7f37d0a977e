//! What stands on AWS, what a rollout wants there instead, and the calls between the two. A call that was made already isn't made
//! again, so a change may be done twice.

pub mod alias;
pub mod aliases;
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
    /// Moved together, in the order of their functions' names.
    Aliases(Vec<AliasTarget>),
}

/// A target as it is now.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Stage(StageSeen),
    Alias(AliasSeen),
    /// One that was deleted is none.
    Aliases(Vec<Option<AliasSeen>>),
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
        /// As calls name it.
        function: String,
        alias: String,
        version: String,
        share: Option<(String, f64)>,
        description: String,
        revision: Option<String>,
    },
    UpdateStage(Vec<Patch>),
    TagStage(String),
    UntagStage,
}

impl Call {
    /// Whose alias is changed; a stage has none.
    pub fn function(&self) -> &str {
        match self {
            Call::UpdateAlias { function, .. } => function,
            Call::UpdateStage(_) | Call::TagStage(_) | Call::UntagStage => "",
        }
    }
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
            Target::Aliases(targets) => {
                let one = |target: &AliasTarget| format!("{} of {}", target.alias, target.function_name);
                format!("aliases {}", joined(targets, ", ", one))
            }
        }
    }

    /// As others are told of it, here and on a server of our own.
    pub fn name(&self) -> String {
        let alias = |target: &AliasTarget| format!("lambda_alias/{}/{}", target.function_name, target.alias);
        match self {
            Target::Stage(target) => format!("rest_stage/{}/{}", target.api_id, target.stage),
            Target::Alias(target) => alias(target),
            Target::Aliases(targets) => joined(targets, " ", alias),
        }
    }

    /// Deployments or versions; of several functions with their names.
    pub fn base_and_canary(&self) -> (String, String) {
        match self {
            Target::Stage(target) => (target.base.clone(), target.canary.clone()),
            Target::Alias(target) => (target.base.clone(), target.canary.clone()),
            Target::Aliases(targets) => (
                joined(targets, " ", |target| format!("{}:{}", target.function_name, target.base)),
                joined(targets, " ", |target| format!("{}:{}", target.function_name, target.canary)),
            ),
        }
    }

    /// The functions that are watched apart, by their names: those that are moved together.
    pub fn functions(&self) -> Vec<&str> {
        match self {
            Target::Stage(_) | Target::Alias(_) => Vec::new(),
            Target::Aliases(targets) => targets.iter().map(|target| target.function_name.as_str()).collect(),
        }
    }

    /// What each part of it is signed with, in the order of [`Seen::markers`].
    pub fn signs(&self, marker: &Marker) -> Vec<Marker> {
        match self {
            Target::Stage(_) | Target::Alias(_) => vec![marker.clone()],
            Target::Aliases(targets) => targets.iter().map(|target| aliases::sign(target, marker)).collect(),
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
            (Target::Aliases(targets), Seen::Aliases(seen)) => {
                aliases::strayed(targets, seen, weights, marker, may_be_promoted)
            }
            _ => Some(Strayed::Replaced("it is a target of another kind".to_owned())),
        }
    }

    /// The calls that a change still needs. `may_be_promoted` as for [`Target::strayed`].
    pub fn calls(
        &self,
        seen: &Seen,
        change: Change,
        marker: &Marker,
        may_be_promoted: bool,
    ) -> Result<Vec<Call>, String> {
        match (self, seen) {
            (Target::Stage(target), Seen::Stage(seen)) => Ok(target.calls(seen, change, marker)),
            (Target::Alias(target), Seen::Alias(seen)) => target.calls(seen, change, marker, false),
            (Target::Aliases(targets), Seen::Aliases(seen)) => {
                aliases::calls(targets, seen, change, marker, may_be_promoted)
            }
            _ => Err("it is a target of another kind".to_owned()),
        }
    }
}

impl Seen {
    /// Whose it is: a stage's or an alias' sign, or those of several aliases.
    pub fn markers(&self) -> Vec<Option<Marker>> {
        let alias = |seen: &AliasSeen| Marker::take(&seen.description).0;
        match self {
            Seen::Stage(seen) => vec![seen.marker.as_deref().and_then(Marker::parse)],
            Seen::Alias(seen) => vec![alias(seen)],
            Seen::Aliases(seen) => seen.iter().map(|seen| seen.as_ref().and_then(alias)).collect(),
        }
    }

    /// The canary has a share already.
    pub fn is_shared(&self) -> bool {
        match self {
            Seen::Stage(seen) => seen.canary.is_some(),
            Seen::Alias(seen) => seen.share.is_some(),
            Seen::Aliases(seen) => seen.iter().flatten().any(|seen| seen.share.is_some()),
        }
    }

    /// For people: what serves, and what has a share.
    pub fn shown(&self) -> String {
        let share = |what: &str, share: Option<(&str, f64)>| match share {
            Some((canary, percent)) => format!(", {percent} % to {what} {canary}"),
            None => String::new(),
        };
        let alias = |seen: &AliasSeen| {
            let canary =
                seen.share.as_ref().map(|(version, weight)| (version.as_str(), round(weight * 100.0)));
            format!("version {}{}", seen.version, share("version", canary))
        };
        match self {
            Seen::Stage(seen) => {
                let canary = seen.canary.as_ref().map(|canary| (canary.deployment.as_str(), canary.percent));
                format!("deployment {}{}", seen.deployment, share("deployment", canary))
            }
            Seen::Alias(seen) => alias(seen),
            Seen::Aliases(seen) => {
                joined(seen, "; ", |seen| seen.as_ref().map_or_else(|| "none".to_owned(), alias))
            }
        }
    }
}

fn joined<T>(all: &[T], between: &str, one: impl Fn(&T) -> String) -> String {
    all.iter().map(one).collect::<Vec<_>>().join(between)
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
