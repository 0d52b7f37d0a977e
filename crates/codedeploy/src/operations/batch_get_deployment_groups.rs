use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::group::DeploymentGroupInfo;
use crate::{Error, State, find, limits};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    deployment_group_names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_groups_info: Vec<DeploymentGroupInfo>,
    /// Which of the names are none.
    error_message: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    super::check_batch(
        input.deployment_group_names.len(),
        limits::BATCH,
        "DeploymentGroupNameRequiredException",
    )?;
    let application = find::application(store, &caller.scope, &input.application_name)?;
    let (mut deployment_groups_info, mut unknown) = (Vec::new(), Vec::new());
    for name in input.deployment_group_names {
        match find::group(store, &application, &name) {
            Ok(group) => {
                let info = DeploymentGroupInfo::of(store, &application, &group).map_err(Error::from)?;
                deployment_groups_info.push(info);
            }
            Err(error @ Error::UnknownGroup(_)) => unknown.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    let error_message = (!unknown.is_empty()).then(|| unknown.join("; "));
    Ok(Output { deployment_groups_info, error_message })
}
