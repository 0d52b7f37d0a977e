use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RestApi, Fault> {
    let api = find::api(&state.store, &call.caller.scope, &call.input.rest_api_id)?;
    Ok(shape::RestApi::whole(api))
}
