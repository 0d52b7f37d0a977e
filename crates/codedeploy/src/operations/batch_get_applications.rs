use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::get_application::ApplicationInfo;
use crate::{State, find, limits};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    applications_info: Vec<ApplicationInfo>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    super::check_batch(input.application_names.len(), limits::BATCH, "ApplicationNameRequiredException")?;
    let find = |name: &String| find::application(&state.parts.store, &caller.scope, name);
    let found = input.application_names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    Ok(Output { applications_info: found.into_iter().map(ApplicationInfo::from).collect() })
}
