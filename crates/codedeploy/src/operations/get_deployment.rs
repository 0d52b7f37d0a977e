use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::deployment::DeploymentInfo;
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_info: DeploymentInfo,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let found = find::deployment(&state.parts.store, &caller.scope, Some(&input.deployment_id))?;
    Ok(Output { deployment_info: DeploymentInfo::from(&found) })
}
