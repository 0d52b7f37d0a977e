//! Deployments: when an API may be frozen into one, who holds one, and the deploying that goes by itself.

use pitbird_names::resource_id;
use pitbird_records::{HttpApi, HttpDeployment, HttpStage, Record, key};
use pitbird_store::Transaction;

use crate::Error;
use crate::find::{self, Records};

/// Automatic deployments that are kept of one API beside those that a stage serves; older ones go.
const AUTOMATIC_KEPT: usize = 25;
const AUTOMATIC: &str = "Automatic deployment triggered by changes to the Api configuration";

/// An API as it is now, with all that a deployment freezes, for ever.
pub fn freeze(
    records: &impl Records,
    api: &HttpApi,
    id: String,
    description: Option<String>,
    now_ms: i64,
) -> Result<HttpDeployment, Error> {
    let routes = find::routes(records, api)?;
    if routes.is_empty() {
        return Err(Error::NoRoutes);
    }
    Ok(HttpDeployment {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id,
        description,
        created_ms: now_ms,
        is_automatic: false,
        routes,
        integrations: find::integrations(records, api)?,
        authorizers: find::authorizers(records, api)?,
    })
}

/// An id that no deployment of this API has.
pub fn unused_id(tx: &Transaction<'_>, api: &HttpApi, entropy: fn() -> u128) -> Result<String, Error> {
    loop {
        let id = resource_id(entropy());
        if !tx.exists::<HttpDeployment>(&key(&api.scope, &[&api.id, &id]))? {
            return Ok(id);
        }
    }
}

/// What follows every change of an API: the stages that deploy by themselves get a deployment of it. Where there is nothing to
/// deploy they go on with what they have, and say why.
pub fn settle(
    tx: &mut Transaction<'_>,
    api: &HttpApi,
    entropy: fn() -> u128,
    now_ms: i64,
) -> Result<(), Error> {
    let stages = find::stages(tx, api)?;
    if !stages.iter().any(|stage| stage.auto_deploy) {
        return Ok(());
    }
    let id = unused_id(tx, api, entropy)?;
    let frozen = match freeze(tx, api, id, Some(AUTOMATIC.to_owned()), now_ms) {
        Ok(mut deployment) => {
            deployment.is_automatic = true;
            tx.put(&deployment)?;
            Ok(deployment.id)
        }
        Err(Error::NoRoutes) => Err(format!("Deployment attempt failed: {}", Error::NoRoutes)),
        Err(other) => return Err(other),
    };
    for mut stage in stages.into_iter().filter(|stage| stage.auto_deploy) {
        match &frozen {
            Ok(id) => move_to(&mut stage, id),
            Err(why) => stage.last_deployment_status_message = Some(why.clone()),
        }
        stage.updated_ms = now_ms;
        tx.put(&stage)?;
    }
    forget_old(tx, api)
}

/// Lets a stage serve a deployment.
pub fn move_to(stage: &mut HttpStage, id: &str) {
    stage.deployment_id = Some(id.to_owned());
    if stage.auto_deploy {
        stage.last_deployment_status_message =
            Some(format!("Successfully deployed stage with deployment ID '{id}'"));
    }
}

fn forget_old(tx: &mut Transaction<'_>, api: &HttpApi) -> Result<(), Error> {
    let stages = find::stages(tx, api)?;
    let mut old = find::deployments(tx, api)?;
    let is_served = |id: &str| stages.iter().any(|stage| stage.deployment_id.as_deref() == Some(id));
    old.retain(|deployment| deployment.is_automatic && !is_served(&deployment.id));
    old.sort_by_key(|deployment| deployment.created_ms);
    let too_many = old.len().saturating_sub(AUTOMATIC_KEPT);
    for deployment in &old[..too_many] {
        tx.delete::<HttpDeployment>(&deployment.key())?;
    }
    Ok(())
}

/// Refuses to let go of a deployment that a stage serves.
pub fn check_unused(id: &str, stages: &[HttpStage]) -> Result<(), Error> {
    let is_served = stages.iter().any(|stage| stage.deployment_id.as_deref() == Some(id));
    if is_served { Err(Error::DeploymentActive(id.to_owned())) } else { Ok(()) }
}
