use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Integration, Fault> {
    let Call { caller, input, .. } = call;
    let mut resource = find::resource(&state.store, &caller.scope, &input.rest_api_id, &input.resource_id)?;
    let integration = find::integration(find::method(&mut resource, &input.http_method)?)?;
    Ok(std::mem::take(integration).into())
}
