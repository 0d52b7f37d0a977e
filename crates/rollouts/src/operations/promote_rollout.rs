use std::sync::Arc;

use pitbird_rollout::{Action, Note};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
    /// Goes into the record: a promotion without evidence says why.
    reason: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Answer, Fault> {
    let Input { name, reason } = &call.input;
    let action = Action::Promote { reason: Note::from(reason.as_str()) };
    Ok(super::order(&state, &call.caller, name, action, None).await?)
}
