use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    embed: Option<Vec<String>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Resource, Fault> {
    let Call { caller, input, .. } = call;
    let resource = find::resource(&state.store, &caller.scope, &input.rest_api_id, &input.resource_id)?;
    Ok(shape::Resource::new(resource, super::embeds(input.embed.as_deref(), "methods")))
}
