use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    integration_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Integration, Fault> {
    let Call { caller, input, .. } = call;
    let api = find::api(&state.store, &caller.scope, &input.api_id)?;
    Ok(find::integration(&state.store, &api, &input.integration_id)?.into())
}
