use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    deployment_id: String,
    embed: Option<Vec<String>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Deployment, Fault> {
    let Call { caller, input, .. } = call;
    let api = find::api(&state.store, &caller.scope, &input.rest_api_id)?;
    let deployment = find::deployment(&state.store, &api.scope, &api.id, &input.deployment_id)?;
    Ok(shape::Deployment::new(deployment, super::embeds(input.embed.as_deref(), "apisummary")))
}
