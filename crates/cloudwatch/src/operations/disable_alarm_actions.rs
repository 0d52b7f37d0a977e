use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::shape::Nothing;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_names: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    super::switch_actions(&state, caller.scope, input.alarm_names, false, now_ms).await?;
    Ok(Nothing {})
}
