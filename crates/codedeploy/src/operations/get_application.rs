use std::sync::Arc;

use pitbird_records::DeployApplication;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    application: ApplicationInfo,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationInfo {
    application_id: String,
    application_name: String,
    create_time: f64,
    linked_to_git_hub: bool,
    compute_platform: &'static str,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let found = find::application(&state.parts.store, &call.caller.scope, &call.input.application_name)?;
    Ok(Output { application: ApplicationInfo::from(found) })
}

impl From<DeployApplication> for ApplicationInfo {
    fn from(application: DeployApplication) -> ApplicationInfo {
        ApplicationInfo {
            application_id: application.id,
            application_name: application.name,
            create_time: shape::seconds(application.created_ms),
            linked_to_git_hub: false,
            compute_platform: "Lambda",
        }
    }
}
