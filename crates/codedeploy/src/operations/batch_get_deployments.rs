use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::deployment::DeploymentInfo;
use crate::{Error, State, find, limits};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployments_info: Vec<DeploymentInfo>,
}

/// Deployments that don't exist are left out: the operation has no error for them.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    super::check_batch(
        input.deployment_ids.len(),
        limits::BATCH_DEPLOYMENTS,
        "DeploymentIdRequiredException",
    )?;
    let mut deployments_info = Vec::new();
    for id in input.deployment_ids {
        match find::deployment(&state.parts.store, &caller.scope, Some(&id)) {
            Ok(found) => deployments_info.push(DeploymentInfo::from(&found)),
            Err(Error::UnknownDeployment(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Output { deployments_info })
}
