use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Api, Fault> {
    Ok(find::api(&state.store, &call.caller.scope, &call.input.api_id)?.into())
}
