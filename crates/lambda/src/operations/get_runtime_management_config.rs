use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::RuntimeManagement;
use crate::{State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

/// Runtimes are the host's: a new environment takes what is there.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<RuntimeManagement, Fault> {
    let Call { caller, input, .. } = call;
    let qualifier = input.qualifier.as_deref();
    let target =
        Target::parse(&state.store, &caller, "GetRuntimeManagementConfig", &input.function_name, qualifier)?;
    find::version(&state.store, &target)?;
    Ok(RuntimeManagement::auto(&target))
}
