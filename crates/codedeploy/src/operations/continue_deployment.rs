use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: Option<String>,
    #[expect(dead_code, reason = "Lambda deployments wait for nobody, whichever wait is meant")]
    deployment_wait_type: Option<String>,
}

/// Only deployments of other platforms wait to be continued.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let found =
        find::deployment(&state.parts.store, &call.caller.scope, call.input.deployment_id.as_deref())?;
    if found.has_ended() {
        return Err(Error::Completed(found.id).into());
    }
    let words = "Continuing a deployment is not supported for the Lambda compute platform.";
    Err(Error::WrongPlatform(words.to_owned()).into())
}
