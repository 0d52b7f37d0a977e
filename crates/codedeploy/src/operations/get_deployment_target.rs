use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::function_deployment::{DeploymentStatus, FunctionDeployment};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::target::DeploymentTarget;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: String,
    target_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_target: DeploymentTarget,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let deployment = started(&state, &caller.scope, &input.deployment_id)?;
    check(&deployment, &input.target_id)?;
    Ok(Output { deployment_target: DeploymentTarget::from(&deployment) })
}

/// A deployment that has targets.
pub fn started(state: &State, scope: &Scope, id: &str) -> Result<FunctionDeployment, Error> {
    let found = find::deployment(&state.parts.store, scope, Some(id))?;
    if found.status == DeploymentStatus::Created { Err(Error::NotStarted(found.id)) } else { Ok(found) }
}

/// Is that the deployment's target?
pub fn check(deployment: &FunctionDeployment, target: &str) -> Result<(), Error> {
    if target.is_empty() {
        let words = "A deployment target ID was not provided.";
        return Err(Error::invalid("DeploymentTargetIdRequiredException", words));
    }
    if deployment.target_id() == target { Ok(()) } else { Err(Error::UnknownTarget(target.to_owned())) }
}
