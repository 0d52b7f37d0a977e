use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::group::DeploymentGroupInfo;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    deployment_group_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_group_info: DeploymentGroupInfo,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    let application = find::application(store, &caller.scope, &input.application_name)?;
    let group = find::group(store, &application, &input.deployment_group_name)?;
    let deployment_group_info = DeploymentGroupInfo::of(store, &application, &group).map_err(Error::from)?;
    Ok(Output { deployment_group_info })
}
