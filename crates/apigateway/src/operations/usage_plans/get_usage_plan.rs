use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, shape, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::UsagePlan, Fault> {
    let plan = usage_plan::plan(&state.store, &call.caller.scope, &call.input.usage_plan_id)?;
    Ok(plan.into())
}
