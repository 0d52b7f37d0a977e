//! Writing down: a deployment with the alias's change, its claims, its notices and the rollback, in one commit or not at all.

use pitbird_names::Scope;
use pitbird_records::function_deployment::{DeploymentStatus, FunctionDeployment};
use pitbird_records::rollout::alias_claim;
use pitbird_records::{
    Alias, DeployGroup, DeploymentClaim, FunctionVersion, Record, RolloutClaim, key, prefix,
};
use pitbird_store::{Error, Store, Transaction};
use thiserror::Error as ThisError;

use crate::notice;
use crate::turn::Turn;

/// Why nothing was written.
#[derive(Debug, ThisError)]
pub enum Lost {
    /// Deployment or alias were written by somebody else since they were read: read again.
    #[error("somebody else was faster")]
    Stale,
    #[error(transparent)]
    Store(#[from] Error),
}

/// Revisions that what a turn changes must still have.
#[derive(Debug, Clone, Copy)]
pub struct Revs {
    pub deployment: u64,
    pub alias: Option<u64>,
}

/// Writes a turn. `draw` makes the ids of what triggers are told.
pub fn turn(tx: &mut Transaction<'_>, turn: &Turn, revs: Revs, draw: u128) -> Result<(), Lost> {
    let deployment = &turn.deployment;
    fresh(tx.put_if(deployment, revs.deployment))?;
    if let Some(alias) = &turn.alias {
        move_alias(tx, alias, revs.alias)?;
    }
    for state in &turn.states {
        for notice in notice::of(deployment, state, draw) {
            tx.put(&notice)?;
        }
    }
    if deployment.has_ended() {
        release(tx, deployment)?;
        note_end(tx, deployment)?;
    }
    if let Some(rollback) = &turn.rollback {
        begin(tx, rollback)?;
    }
    Ok(())
}

fn move_alias(tx: &mut Transaction<'_>, alias: &Alias, rev: Option<u64>) -> Result<(), Lost> {
    let additional = alias.additional.iter().map(|additional| additional.version);
    for version in additional.chain([alias.version]) {
        let version = key(&alias.scope, &[&alias.function, &version.to_string()]);
        if !tx.exists::<FunctionVersion>(&version)? {
            return Err(Lost::Stale);
        }
    }
    fresh(tx.put_if(alias, rev.ok_or(Lost::Stale)?))
}

fn fresh(written: Result<u64, Error>) -> Result<(), Lost> {
    match written {
        Ok(_) => Ok(()),
        Err(Error::Conflict(_)) => Err(Lost::Stale),
        Err(error) => Err(error.into()),
    }
}

/// Writes a new deployment down, with its claims on group and alias.
pub fn begin(tx: &mut Transaction<'_>, deployment: &FunctionDeployment) -> Result<(), Error> {
    let scope = &deployment.scope;
    tx.put(deployment)?;
    tx.put(&DeploymentClaim {
        scope: scope.clone(),
        group_id: deployment.group_id.clone(),
        deployment: deployment.id.clone(),
    })?;
    tx.put(&RolloutClaim {
        scope: scope.clone(),
        target: claim(deployment),
        rollout: holder(&deployment.id),
    })?;
    let group_key = key(scope, &[&deployment.application_id, &deployment.group]);
    if let Some(group) = tx.get::<DeployGroup>(&group_key)? {
        let mut group = group.record;
        group.last_attempted = Some(deployment.id.clone());
        tx.put(&group)?;
    }
    Ok(())
}

/// Who moves an alias, as other rollouts read it. No rollout has such a name, for it has spaces.
pub fn holder(id: &str) -> String {
    format!("of CodeDeploy deployment {id}")
}

pub fn claim(deployment: &FunctionDeployment) -> String {
    alias_claim(&deployment.shift.function, &deployment.shift.alias)
}

fn release(tx: &mut Transaction<'_>, deployment: &FunctionDeployment) -> Result<(), Error> {
    let scope = &deployment.scope;
    tx.delete::<DeploymentClaim>(&key(scope, &[&deployment.group_id]))?;
    tx.delete::<RolloutClaim>(&key(scope, &[&claim(deployment)]))?;
    Ok(())
}

/// The group's target is what was last deployed.
fn note_end(tx: &mut Transaction<'_>, deployment: &FunctionDeployment) -> Result<(), Error> {
    let group_key = key(&deployment.scope, &[&deployment.application_id, &deployment.group]);
    let Some(group) = tx.get::<DeployGroup>(&group_key)? else { return Ok(()) };
    if deployment.status == DeploymentStatus::Succeeded {
        let mut group = group.record;
        group.last_successful = Some(deployment.id.clone());
        group.target_revision = Some(deployment.revision.clone());
        tx.put(&group)?;
    }
    Ok(())
}

/// Where there are `max` deployments or more, those that ended first go, so that one more has room. Which they are is looked
/// up before the change, which holds up all others.
pub async fn make_room(store: &Store, scope: &Scope, max: usize) -> Result<(), Error> {
    let all = prefix(scope, &[]);
    let count = store.revs::<FunctionDeployment>(&all)?.len();
    if count < max {
        return Ok(());
    }
    let found = store.list::<FunctionDeployment>(&all)?.into_iter().map(|found| found.record);
    let mut ended: Vec<_> = found.filter(FunctionDeployment::has_ended).collect();
    ended.sort_by_key(|deployment| deployment.created_ms);
    let keys: Vec<String> = ended.iter().take(count + 1 - max).map(Record::key).collect();
    let forget = move |tx: &mut Transaction<'_>| {
        keys.iter().try_for_each(|key| tx.delete::<FunctionDeployment>(key).map(drop))
    };
    store.write(forget).await
}
