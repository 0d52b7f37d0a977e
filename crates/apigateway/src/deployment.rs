//! Deployments: when an API may be frozen into one, and who holds one.

use pitbird_records::{Deployment, RestApi, Stage, prefix};

use crate::Error;
use crate::find::{self, Records};
use crate::patch::{Op, Patch};

/// An API as it is now, with all that a deployment freezes, for ever.
pub fn freeze(
    records: &impl Records,
    api: RestApi,
    id: String,
    description: Option<String>,
    now_ms: i64,
) -> Result<Deployment, Error> {
    let deployment = picture(records, api, id, description, now_ms)?;
    let resources = deployment.resources.iter();
    let mut methods = resources.flat_map(|resource| resource.methods.values()).peekable();
    if methods.peek().is_none() {
        return Err(Error::NoMethods);
    }
    if methods.any(|method| method.integration.is_none()) {
        return Err(Error::NoIntegration);
    }
    Ok(deployment)
}

/// The same of an API that may not be ready to be deployed.
pub fn picture(
    records: &impl Records,
    api: RestApi,
    id: String,
    description: Option<String>,
    now_ms: i64,
) -> Result<Deployment, Error> {
    let resources = find::resources(records, &api.scope, &api.id)?;
    let below = prefix(&api.scope, &[&api.id]);
    Ok(Deployment {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id,
        description,
        created_ms: now_ms,
        api,
        resources,
        models: records.list(&below)?,
        request_validators: records.list(&below)?,
        authorizers: records.list(&below)?,
        gateway_responses: records.list(&below)?,
    })
}

/// Refuses to let go of a deployment that a stage or a canary serves.
pub fn check_unused(id: &str, stages: &[Stage]) -> Result<(), Error> {
    if stages.iter().any(|stage| stage.deployment_id == id) {
        return Err(Error::DeploymentActive);
    }
    let mut canaries = stages.iter().filter_map(|stage| stage.canary.as_ref());
    if canaries.any(|canary| canary.deployment_id == id) {
        return Err(Error::DeploymentActiveAsCanary);
    }
    Ok(())
}

/// Applies one patch operation: only the description of a deployment ever changes.
pub fn apply(deployment: &mut Deployment, patch: &Patch<'_>) -> Result<(), Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/description") => {
            deployment.description = patch.text().map(str::to_owned);
            Ok(())
        }
        _ => Err(patch.not_one_of("/description")),
    }
}
