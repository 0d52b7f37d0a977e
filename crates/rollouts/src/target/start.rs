//! From what a caller names to a target that a rollout may begin on.

use pitbird_names::{FunctionRef, Scope, VersionId};
use pitbird_records::function::State;
use pitbird_records::rollout::{AliasTarget, StageTarget, Target, alias_claim, stage_claim};
use pitbird_records::{Alias, Deployment, FunctionVersion, RestApi, Stage, Texts, key};
use pitbird_rollout::TargetKind;
use pitbird_store::{Store, Transaction};

use super::extra;
use super::stage::VARIABLES_MAX;
use crate::{Error, LiveTarget, shape};

/// What the target is to be given besides traffic.
#[derive(Debug, Default)]
pub struct Extra {
    pub pre_warm: Option<u32>,
    pub force: Option<String>,
}

/// What is wanted, before it was held against what there is.
#[derive(Debug)]
pub enum Wish {
    RestStage {
        api_id: String,
        stage: String,
        canary: Option<String>,
        overrides: Option<Texts>,
        force: Option<String>,
    },
    LambdaAlias {
        function: FunctionRef,
        alias: String,
        canary: VersionId,
        pre_warm: Option<u32>,
    },
}

impl Wish {
    pub fn parse(target: shape::Target, canary: shape::Canary, extra: Extra) -> Result<Wish, Error> {
        let Extra { pre_warm, force } = extra;
        match (target.rest_stage, target.lambda_alias) {
            (Some(stage), None) => {
                refuse(canary.function_version.is_some(), "Canary.FunctionVersion", "Target.LambdaAlias")?;
                refuse(pre_warm.is_some(), "PreWarm", "Target.LambdaAlias")?;
                Ok(Wish::RestStage {
                    api_id: stage.rest_api_id,
                    stage: stage.stage_name,
                    canary: canary.deployment_id,
                    overrides: canary.stage_variable_overrides.filter(|overrides| !overrides.is_empty()),
                    force,
                })
            }
            (None, Some(alias)) => {
                refuse(canary.deployment_id.is_some(), "Canary.DeploymentId", "Target.RestStage")?;
                let overrides = canary.stage_variable_overrides.is_some();
                refuse(overrides, "Canary.StageVariableOverrides", "Target.RestStage")?;
                refuse(force.is_some(), "Force", "Target.RestStage")?;
                let function = FunctionRef::parse(&alias.function_name)
                    .map_err(|error| Error::invalid(format!("Target.LambdaAlias.FunctionName: {error}.")))?;
                if function.qualifier.is_some() {
                    return Err(Error::invalid("Target.LambdaAlias.FunctionName must not have a qualifier."));
                }
                let version = canary.function_version.as_deref().and_then(VersionId::parse);
                let canary = version.filter(|version| *version != VersionId::Latest).ok_or_else(|| {
                    Error::invalid("Canary.FunctionVersion must be the number of a published version.")
                })?;
                Ok(Wish::LambdaAlias { function, alias: alias.alias_name, canary, pre_warm })
            }
            _ => Err(Error::invalid("Target must be either RestStage or LambdaAlias.")),
        }
    }

    /// What a rollout on this target claims.
    pub fn claim(&self) -> String {
        match self {
            Wish::RestStage { api_id, stage, .. } => stage_claim(api_id, stage),
            Wish::LambdaAlias { function, alias, .. } => alias_claim(&function.name, alias),
        }
    }

    /// Is this the target that a rollout found?
    pub fn is_for(&self, found: &Target) -> bool {
        match (self, found) {
            (Wish::RestStage { api_id, stage, canary, overrides, force }, Target::RestStage(found)) => {
                let is_canary = canary.as_ref().is_none_or(|canary| *canary == found.canary);
                let is_same = overrides.is_none() || *overrides == found.overrides;
                (api_id, stage, force) == (&found.api_id, &found.stage, &found.force) && is_canary && is_same
            }
            (Wish::LambdaAlias { function, alias, canary, pre_warm }, Target::LambdaAlias(found)) => {
                let found_canary = (&found.canary, &found.pre_warm);
                (&function.name, alias) == (&found.function, &found.alias)
                    && (canary, pre_warm) == found_canary
            }
            _ => false,
        }
    }

    /// Whose counts tell what the base has done so far; `None` where there is no such alias.
    pub fn live(&self, store: &Store, scope: &Scope) -> Result<Option<LiveTarget>, pitbird_store::Error> {
        let scope = scope.clone();
        Ok(match self {
            Wish::RestStage { api_id, stage, .. } => {
                Some(LiveTarget::RestStage { scope, api_id: api_id.clone(), stage: stage.clone() })
            }
            Wish::LambdaAlias { function, alias, canary, .. } => {
                let found = store.get::<Alias>(&key(&scope, &[&function.name, alias]))?;
                found.map(|found| LiveTarget::LambdaAlias {
                    scope,
                    function: function.name.clone(),
                    alias: alias.clone(),
                    base: found.record.version,
                    canary: *canary,
                })
            }
        })
    }

    /// The target as it is, if a rollout may begin on it.
    pub fn find(self, tx: &Transaction<'_>, scope: &Scope) -> Result<Target, Error> {
        match self {
            Wish::RestStage { api_id, stage, canary, overrides, force } => {
                let found = find_stage(tx, scope, api_id, stage, canary, (overrides, force));
                found.map(Target::RestStage)
            }
            Wish::LambdaAlias { function, alias, canary, pre_warm } => {
                if function.scope(scope) != *scope {
                    return Err(Error::invalid("The function is in another account or region."));
                }
                let found = find_alias(tx, scope, function.name, alias, canary)?;
                Ok(Target::LambdaAlias(AliasTarget { pre_warm, ..found }))
            }
        }
    }
}

/// What rollouts on a target claim.
pub fn claim(target: &shape::Target) -> Result<String, Error> {
    match (&target.rest_stage, &target.lambda_alias) {
        (Some(stage), None) => Ok(stage_claim(&stage.rest_api_id, &stage.stage_name)),
        (None, Some(alias)) => {
            let function = FunctionRef::parse(&alias.function_name)
                .map_err(|error| Error::invalid(format!("Target.LambdaAlias.FunctionName: {error}.")))?;
            Ok(alias_claim(&function.name, &alias.alias_name))
        }
        _ => Err(Error::invalid("Target must be either RestStage or LambdaAlias.")),
    }
}

fn refuse(is_given: bool, member: &str, target: &str) -> Result<(), Error> {
    match is_given {
        true => Err(Error::invalid(format!("{member} goes with {target} only."))),
        false => Ok(()),
    }
}

fn find_stage(
    tx: &Transaction<'_>,
    scope: &Scope,
    api_id: String,
    name: String,
    canary: Option<String>,
    (overrides, force): (Option<Texts>, Option<String>),
) -> Result<StageTarget, Error> {
    if !tx.exists::<RestApi>(&key(scope, &[&api_id]))? {
        return Err(Error::UnknownApi(api_id));
    }
    let Some(stage) = tx.get::<Stage>(&key(scope, &[&api_id, &name]))? else {
        return Err(Error::UnknownStage { api_id, stage: name });
    };
    let stage = stage.record;
    extra::check_force(&stage, force.as_deref())?;
    let canary = canary.or_else(|| stage.canary.as_ref().map(|found| found.deployment_id.clone()));
    let canary = canary
        .ok_or_else(|| Error::invalid("Canary.DeploymentId is needed: the stage has no canary yet."))?;
    if !tx.exists::<Deployment>(&key(scope, &[&api_id, &canary]))? {
        return Err(Error::UnknownDeployment { api_id, deployment: canary });
    }
    if let Some(found) = stage.canary.as_ref().filter(|found| found.deployment_id != canary) {
        return Err(Error::OtherCanary { stage: name, found: found.deployment_id.clone() });
    }
    let found = stage.canary.clone();
    let overrides =
        overrides.or_else(|| found.as_ref().and_then(|found| found.stage_variable_overrides.clone()));
    let is_same_variables =
        overrides.iter().flatten().all(|(name, value)| stage.variables.get(name) == Some(value));
    if stage.deployment_id == canary && is_same_variables {
        return Err(Error::invalid(format!(
            "Stage {name} serves deployment {canary} with these variables already; there is nothing to roll out."
        )));
    }
    let fresh = overrides.iter().flatten().filter(|(name, _)| !stage.variables.contains_key(*name)).count();
    if stage.variables.len() + fresh > VARIABLES_MAX {
        let words =
            format!("Stage {name} would have more than {VARIABLES_MAX} variables once it is promoted.");
        return Err(Error::invalid(words));
    }
    Ok(StageTarget { api_id, stage: name, base: stage.deployment_id, found, canary, overrides, force })
}

fn find_alias(
    tx: &Transaction<'_>,
    scope: &Scope,
    function: String,
    name: String,
    canary: VersionId,
) -> Result<AliasTarget, Error> {
    let Some(alias) = tx.get::<Alias>(&key(scope, &[&function, &name]))? else {
        return Err(Error::UnknownAlias { function, alias: name });
    };
    let alias = alias.record;
    let on_trial = version(tx, scope, &function, canary)?;
    if alias.version == canary {
        let words = format!("Alias {name} names version {canary} already; there is nothing to roll out.");
        return Err(Error::invalid(words));
    }
    if alias.version == VersionId::Latest {
        // Lambda's own rule for weighted aliases.
        return Err(Error::invalid(format!(
            "Alias {name} names $LATEST, which can't share with another version."
        )));
    }
    if let Some(found) = alias.additional.filter(|found| found.version != canary) {
        return Err(Error::OtherVersion { alias: name, found: found.version.to_string() });
    }
    let base = version(tx, scope, &function, alias.version)?;
    if base.settings.role != on_trial.settings.role {
        // Lambda's own rule for weighted aliases.
        return Err(Error::invalid(format!(
            "Versions {} and {canary} have different roles, so an alias can't share between them.",
            alias.version
        )));
    }
    if let State::Failed { reason, .. } = &on_trial.state {
        return Err(Error::invalid(format!("Version {canary} has failed: {reason}")));
    }
    let (base, found) = (alias.version, alias.additional);
    Ok(AliasTarget { function, alias: name, base, found, canary, pre_warm: None })
}

fn version(
    tx: &Transaction<'_>,
    scope: &Scope,
    function: &str,
    version: VersionId,
) -> Result<FunctionVersion, Error> {
    let found = tx.get::<FunctionVersion>(&key(scope, &[function, &version.to_string()]))?;
    let unknown = || Error::UnknownVersion { function: function.to_owned(), version: version.to_string() };
    Ok(found.ok_or_else(unknown)?.record)
}

/// The target in the words that belong to the plan.
pub fn description(target: &Target) -> pitbird_rollout::Target {
    let (kind, description) = match target {
        Target::RestStage(target) => (
            TargetKind::StageCanary,
            format!(
                "restapis/{}/stages/{}: deployment {} over {}",
                target.api_id, target.stage, target.canary, target.base
            ),
        ),
        Target::LambdaAlias(target) => (
            TargetKind::FunctionAlias,
            format!(
                "functions/{}/aliases/{}: version {} over {}",
                target.function, target.alias, target.canary, target.base
            ),
        ),
    };
    pitbird_rollout::Target { kind, description }
}
