//! A stage and its canary. Promotion copies the canary's deployment and variables to the stage and then removes the canary, as API
//! Gateway's own console does; API Gateway has no compare-and-set, so what is there is read before each change.
//!
//! Source: API Gateway developer guide, "Set up an API Gateway canary release deployment", and UpdateStage's patch operations.

use std::collections::BTreeMap;

use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use super::{Call, Change, Patch, Strayed, is_same, signed};
use crate::marker::Marker;

type Texts = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTarget {
    pub api_id: String,
    /// As metrics call it.
    pub api_name: String,
    pub stage: String,
    pub base: String,
    pub canary: String,
    /// What the canary sees instead of the stage's variables.
    pub overrides: Texts,
    /// The stage's own variables of these names before the rollout.
    pub variables: BTreeMap<String, Option<String>>,
    /// The canary that was there before.
    pub found: Option<Canary>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    pub deployment: String,
    pub percent: f64,
    pub overrides: Texts,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StageSeen {
    pub deployment: String,
    pub canary: Option<Canary>,
    pub variables: Texts,
    /// What the rollout's tag says.
    pub marker: Option<String>,
}

impl StageTarget {
    /// The target that a rollout may begin on, or why it may not.
    pub fn find(
        (api_id, api_name, stage): (String, String, String),
        canary: Option<String>,
        overrides: Option<Texts>,
        seen: &StageSeen,
    ) -> Result<StageTarget, String> {
        let found = seen.canary.clone();
        let canary = canary.or_else(|| found.as_ref().map(|found| found.deployment.clone()));
        let canary = canary.ok_or("canary.deployment_id is needed: the stage has no canary yet")?;
        if let Some(found) = found.as_ref().filter(|found| found.deployment != canary) {
            return Err(format!(
                "stage {stage} has a canary with deployment {} already; remove it first",
                found.deployment
            ));
        }
        let overrides =
            overrides.or_else(|| found.as_ref().map(|found| found.overrides.clone())).unwrap_or_default();
        let is_same_variables = overrides.iter().all(|(name, value)| seen.variables.get(name) == Some(value));
        if seen.deployment == canary && is_same_variables {
            return Err(format!(
                "stage {stage} serves deployment {canary} with these variables already; there is nothing to roll out"
            ));
        }
        let variables =
            overrides.keys().map(|name| (name.clone(), seen.variables.get(name).cloned())).collect();
        Ok(StageTarget {
            api_id,
            api_name,
            stage,
            base: seen.deployment.clone(),
            canary,
            overrides,
            variables,
            found,
        })
    }

    pub fn strayed(
        &self,
        seen: &StageSeen,
        weights: &[Percent],
        marker: &Marker,
        may_be_promoted: bool,
    ) -> Option<Strayed> {
        let stage = &self.stage;
        let is_promoted = may_be_promoted && seen.deployment == self.canary;
        if is_promoted && seen.canary.as_ref().is_none_or(|canary| canary.percent == 0.0) {
            return None;
        }
        if seen.deployment != self.base {
            let words =
                format!("stage {stage} serves deployment {} instead of {}", seen.deployment, self.base);
            return Some(Strayed::Replaced(words));
        }
        if let Some(other) = seen.canary.as_ref().filter(|canary| canary.deployment != self.canary) {
            let words = format!(
                "the canary of stage {stage} serves deployment {} instead of {}",
                other.deployment, self.canary
            );
            return Some(Strayed::Replaced(words));
        }
        let found = seen.marker.as_deref().and_then(Marker::parse);
        if let Some(strayed) = signed(found.as_ref(), marker) {
            return Some(strayed);
        }
        if weights.iter().any(|weight| self.is_at(seen, *weight)) {
            return None;
        }
        Some(Strayed::Changed(match &seen.canary {
            None => format!("the canary of stage {stage} was removed"),
            Some(canary) if weights.iter().any(|weight| is_same(weight.get(), canary.percent)) => {
                format!("the variables of the canary of stage {stage} are others")
            }
            Some(canary) => {
                let expected = weights.last().map_or(0.0, |percent| percent.get());
                format!("the canary of stage {stage} has {} % instead of {expected} %", canary.percent)
            }
        }))
    }

    /// Is the canary as it is to be at this weight? Before the first shift it is what was found.
    fn is_at(&self, seen: &StageSeen, weight: Percent) -> bool {
        if weight.get() == 0.0 {
            return seen.canary == self.found;
        }
        let canary = seen.canary.as_ref();
        canary
            .is_some_and(|canary| is_same(canary.percent, weight.get()) && canary.overrides == self.overrides)
    }

    pub fn calls(&self, seen: &StageSeen, change: Change, marker: &Marker) -> Vec<Call> {
        let untag = seen.marker.is_some().then_some(Call::UntagStage);
        let patches = match change {
            Change::Claim => {
                let is_done = seen.marker.as_deref() == Some(&marker.to_string());
                return if is_done { Vec::new() } else { vec![Call::TagStage(marker.to_string())] };
            }
            Change::Shift(percent) => return update(self.shift(seen, percent)).collect(),
            Change::Release if seen.marker.as_deref() != Some(&*marker.to_string()) => return Vec::new(),
            Change::Release => Vec::new(),
            Change::Promote if seen.deployment == self.canary => vec![self.removal(seen)],
            Change::Promote => vec![self.promotion(), vec![remove("/canarySettings")]],
            Change::RollBack => vec![self.removal(seen), self.restoration(seen)],
        };
        patches.into_iter().flat_map(update).chain(untag).collect()
    }

    fn shift(&self, seen: &StageSeen, percent: Percent) -> Vec<Patch> {
        if self.is_at(seen, percent) {
            return Vec::new();
        }
        let mut patches = vec![replace("/canarySettings/percentTraffic", percent.get().to_string())];
        if seen.canary.as_ref().is_none_or(|canary| canary.deployment != self.canary) {
            patches.insert(0, replace("/canarySettings/deploymentId", self.canary.clone()));
        }
        let there = seen.canary.as_ref().map(|canary| canary.overrides.clone()).unwrap_or_default();
        let path = |name: &String| format!("/canarySettings/stageVariableOverrides/{name}");
        let fresh = self.overrides.iter().filter(|(name, value)| there.get(*name) != Some(value));
        patches.extend(fresh.map(|(name, value)| replace(&path(name), value.clone())));
        let stale = there.keys().filter(|name| !self.overrides.contains_key(*name));
        patches.extend(stale.map(|name| remove(&path(name))));
        patches
    }

    fn promotion(&self) -> Vec<Patch> {
        let copy = |from, path| Patch::Copy { from, path };
        let mut patches = vec![replace("/canarySettings/percentTraffic", "0.0".to_owned())];
        if !self.overrides.is_empty() {
            patches.push(copy("/canarySettings/stageVariableOverrides", "/variables"));
        }
        patches.push(copy("/canarySettings/deploymentId", "/deploymentId"));
        patches
    }

    fn removal(&self, seen: &StageSeen) -> Vec<Patch> {
        seen.canary.iter().map(|_| remove("/canarySettings")).collect()
    }

    /// What a promotion changed goes back to what it was.
    fn restoration(&self, seen: &StageSeen) -> Vec<Patch> {
        if seen.deployment == self.base {
            return Vec::new();
        }
        let back = |(name, value): (&String, &Option<String>)| {
            let path = format!("/variables/{name}");
            match value {
                Some(value) => Some(replace(&path, value.clone())),
                None => seen.variables.contains_key(name).then(|| remove(&path)),
            }
        };
        let variables = self.variables.iter().filter_map(back);
        variables.chain([replace("/deploymentId", self.base.clone())]).collect()
    }
}

fn update(patches: Vec<Patch>) -> impl Iterator<Item = Call> {
    Some(patches).filter(|patches| !patches.is_empty()).map(Call::UpdateStage).into_iter()
}

fn replace(path: &str, value: String) -> Patch {
    Patch::Replace { path: path.to_owned(), value }
}

fn remove(path: &str) -> Patch {
    Patch::Remove { path: path.to_owned() }
}
