use std::sync::Arc;

use pitbird_records::{GatewayResponse, key};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::find::Records;
use crate::{Error, State, find, gateway_response, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    response_type: String,
}

/// An answer's form as it was put, or else the default.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::GatewayResponse, Fault> {
    let Call { caller, input, .. } = call;
    let api = find::api(&state.store, &caller.scope, &input.rest_api_id)?;
    let key = key(&api.scope, &[&api.id, &input.response_type]);
    let found: Option<GatewayResponse> = Records::get(&state.store, &key).map_err(Error::from)?;
    let is_default = found.is_none();
    let default = || gateway_response::default(&api.scope, &api.id, &input.response_type);
    Ok(shape::GatewayResponse::new(found.unwrap_or_else(default), is_default))
}
