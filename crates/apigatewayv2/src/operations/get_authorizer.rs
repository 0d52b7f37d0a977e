use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    authorizer_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Authorizer, Fault> {
    let Call { caller, input, .. } = call;
    let api = find::api(&state.store, &caller.scope, &input.api_id)?;
    Ok(find::authorizer(&state.store, &api, &input.authorizer_id)?.into())
}
