use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    api_key: String,
    include_value: Option<bool>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ApiKey, Fault> {
    let key = find::api_key(&state.store, &call.caller.scope, &call.input.api_key)?;
    Ok(shape::ApiKey::new(key, call.input.include_value.unwrap_or_default()))
}
