use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::policy::{self, Uses};
use crate::shape;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy: shape::Policy,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let account = &call.caller.scope.account;
    let found = policy::get(&state.store, account, &call.input.policy_arn)?;
    let uses = Uses::read(&state.store, account)?.of(&call.input.policy_arn);
    Ok(Output { policy: shape::Policy::whole(found, uses) })
}
