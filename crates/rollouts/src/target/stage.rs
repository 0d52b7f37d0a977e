//! A stage and its canary. Promotion and removal do what API Gateway's own patch operations do: the deployment and the
//! overrides are copied to the stage, and the canary settings are removed.
//!
//! Source: API Gateway developer guide, "Set up an API Gateway canary release deployment".

use pitbird_names::Percent;
use pitbird_records::rollout::StageTarget;
use pitbird_records::{Canary, Stage};

use super::{extra, is_same};

/// Variables of one stage. Source: API Gateway quotas.
pub const VARIABLES_MAX: usize = 100;

/// How the stage differs from what the rollout made of it.
pub fn strayed(stage: &Stage, target: &StageTarget, weight: Percent) -> Option<String> {
    let name = &stage.name;
    if stage.deployment_id != target.base {
        return Some(format!(
            "stage {name} serves deployment {} instead of {}",
            stage.deployment_id, target.base
        ));
    }
    let expected = expected(target, weight);
    match (&stage.canary, &expected) {
        (None, None) => None,
        (None, Some(_)) => Some(format!("the canary of stage {name} was removed")),
        (Some(found), None) => {
            Some(format!("stage {name} was given a canary with deployment {}", found.deployment_id))
        }
        (Some(found), Some(expected)) => {
            differs(found, expected).map(|words| format!("stage {name}: {words}"))
        }
    }
}

/// The canary that the stage must have: before the first shift the one that was found.
fn expected(target: &StageTarget, weight: Percent) -> Option<Canary> {
    if weight.get() > 0.0 { Some(canary(target, weight)) } else { target.found.clone() }
}

fn differs(found: &Canary, expected: &Canary) -> Option<String> {
    if found.deployment_id != expected.deployment_id {
        let (found, expected) = (&found.deployment_id, &expected.deployment_id);
        return Some(format!("the canary serves deployment {found} instead of {expected}"));
    }
    let (percent, set) = (found.percent_traffic.get(), expected.percent_traffic.get());
    if !is_same(percent, set) {
        return Some(format!("the canary's share is {percent} % instead of {set} %"));
    }
    let overrides = |canary: &Canary| canary.stage_variable_overrides.clone().unwrap_or_default();
    let changed = overrides(found) != overrides(expected);
    changed.then(|| "the canary's stage variables are others".to_owned())
}

fn canary(target: &StageTarget, percent: Percent) -> Canary {
    Canary {
        deployment_id: target.canary.clone(),
        percent_traffic: percent,
        stage_variable_overrides: target.overrides.clone(),
        use_stage_cache: target.found.as_ref().is_some_and(|found| found.use_stage_cache),
    }
}

pub fn shift(stage: &mut Stage, target: &StageTarget, percent: Percent) {
    stage.canary = Some(canary(target, percent));
    extra::put_tags(stage, target);
}

/// Overrides win over the stage's variables, other variables stay. Refused where that would be too many.
pub fn promote(stage: &mut Stage, target: &StageTarget) -> Result<(), String> {
    stage.variables.extend(target.overrides.clone().unwrap_or_default());
    if stage.variables.len() > VARIABLES_MAX {
        return Err(format!("stage {} would have more than {VARIABLES_MAX} variables", stage.name));
    }
    stage.deployment_id.clone_from(&target.canary);
    stage.canary = None;
    extra::take_tags(stage, target);
    Ok(())
}

pub fn roll_back(stage: &mut Stage, target: &StageTarget) {
    stage.deployment_id.clone_from(&target.base);
    stage.canary = None;
    extra::take_tags(stage, target);
}
