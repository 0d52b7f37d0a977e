use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, shape, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
    key_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::UsagePlanKey, Fault> {
    let Call { caller, input, .. } = call;
    let key = usage_plan::key_of(&state.store, &caller.scope, &input.usage_plan_id, &input.key_id)?;
    Ok(key.into())
}
