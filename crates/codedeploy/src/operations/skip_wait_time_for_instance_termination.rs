use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: Option<String>,
}

/// Lambda deployments have no instances.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let found =
        find::deployment(&state.parts.store, &call.caller.scope, call.input.deployment_id.as_deref())?;
    if found.has_ended() {
        return Err(Error::Completed(found.id).into());
    }
    let words = "Skipping the wait time is not supported for the Lambda compute platform.";
    Err(Error::WrongPlatform(words.to_owned()).into())
}
