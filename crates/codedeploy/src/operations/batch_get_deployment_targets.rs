use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::get_deployment_target::{check, started};
use crate::shape::target::DeploymentTarget;
use crate::{Error, State, limits};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: String,
    target_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_targets: Vec<DeploymentTarget>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let deployment = started(&state, &caller.scope, &input.deployment_id)?;
    if input.target_ids.is_empty() {
        let words = "A deployment target ID was not provided.";
        return Err(Error::invalid("DeploymentTargetIdRequiredException", words).into());
    }
    if input.target_ids.len() > limits::BATCH_TARGETS {
        let words = format!("At most {} targets can be asked for.", limits::BATCH_TARGETS);
        return Err(Error::TooMany { code: "DeploymentTargetListSizeExceededException", words }.into());
    }
    input.target_ids.iter().try_for_each(|target| check(&deployment, target))?;
    let deployment_targets = input.target_ids.iter().map(|_| DeploymentTarget::from(&deployment)).collect();
    Ok(Output { deployment_targets })
}
