use std::sync::Arc;

use pitbird_rollout::Action;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
    reason: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Answer, Fault> {
    let Input { name, reason } = &call.input;
    Ok(super::order(&state, &call.caller, name, Action::Pause, reason.as_deref()).await?)
}
