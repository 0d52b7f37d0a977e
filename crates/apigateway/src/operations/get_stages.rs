use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    deployment_id: Option<String>,
}

/// An API has few stages: this list has no pages.
#[derive(Debug, Serialize)]
pub struct Output {
    item: Vec<shape::Stage>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let api = find::api(&state.store, &caller.scope, &input.rest_api_id)?;
    let mut stages = find::stages(&state.store, &api.scope, &api.id)?;
    if let Some(deployment_id) = input.deployment_id {
        stages.retain(|stage| stage.deployment_id == deployment_id);
    }
    Ok(Output { item: stages.into_iter().map(shape::Stage::from).collect() })
}
