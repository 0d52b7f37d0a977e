//! The target as it is, held against the rules for a beginning.

use pitbird_names::{Scope, VersionId};
use pitbird_records::function::State;
use pitbird_records::rollout::{AliasTarget, StageTarget};
use pitbird_records::{Alias, Deployment, FunctionVersion, RestApi, Stage, Texts, key};
use pitbird_store::Transaction;

use super::super::extra;
use super::super::stage::VARIABLES_MAX;
use super::{AliasWish, Tags};
use crate::Error;

pub fn stage(
    tx: &Transaction<'_>,
    scope: &Scope,
    api_id: String,
    name: String,
    canary: Option<String>,
    overrides: Option<Texts>,
) -> Result<StageTarget, Error> {
    if !tx.exists::<RestApi>(&key(scope, &[&api_id]))? {
        return Err(Error::UnknownApi(api_id));
    }
    let Some(stage) = tx.get::<Stage>(&key(scope, &[&api_id, &name]))? else {
        return Err(Error::UnknownStage { api_id, stage: name });
    };
    let stage = stage.record;
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
    Ok(StageTarget {
        api_id,
        stage: name,
        base: stage.deployment_id,
        found,
        canary,
        overrides,
        force: None,
        sticky: None,
        sticky_before: None,
        mirror: None,
        mirror_before: None,
    })
}

/// The stage with what requests choose by and clients are kept by.
pub fn choosing(
    tx: &Transaction<'_>,
    scope: &Scope,
    target: StageTarget,
    Tags { force, sticky, mirror }: Tags,
) -> Result<StageTarget, Error> {
    let Some(stage) = tx.get::<Stage>(&key(scope, &[&target.api_id, &target.stage]))? else {
        return Err(Error::UnknownStage { api_id: target.api_id, stage: target.stage });
    };
    extra::check_force(&stage.record, force.as_deref())?;
    extra::check_sticky(sticky.as_deref())?;
    extra::check_mirror(mirror.as_deref())?;
    let sticky_before = stage.record.tags.get(extra::STICKY).filter(|_| sticky.is_some()).cloned();
    let mirror_before = stage.record.tags.get(extra::MIRROR).filter(|_| mirror.is_some()).cloned();
    Ok(StageTarget { force, sticky, sticky_before, mirror, mirror_before, ..target })
}

pub fn alias(
    tx: &Transaction<'_>,
    scope: &Scope,
    wish: AliasWish,
    pre_warm: Option<u32>,
) -> Result<AliasTarget, Error> {
    let AliasWish { function, alias: name, canary } = wish;
    if function.scope(scope) != *scope {
        return Err(Error::invalid("The function is in another account or region."));
    }
    let function = function.name;
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
    Ok(AliasTarget { function, alias: name, base, found, canary, pre_warm })
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
