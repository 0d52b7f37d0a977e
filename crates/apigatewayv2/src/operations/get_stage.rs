use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    stage_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Stage, Fault> {
    let Call { caller, input, .. } = call;
    let api = find::api(&state.store, &caller.scope, &input.api_id)?;
    Ok(find::stage(&state.store, &api, &input.stage_name)?.into())
}
