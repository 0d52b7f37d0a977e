use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::RuntimeManagement;
use crate::{Error, State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
    update_runtime_on: String,
}

/// Takes `Auto`, which is how it is: to keep an old runtime for a function, the host would need to have it still.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<RuntimeManagement, Fault> {
    let Call { caller, input, .. } = call;
    let qualifier = input.qualifier.as_deref();
    let target =
        Target::parse(&state.store, &caller, "PutRuntimeManagementConfig", &input.function_name, qualifier)?;
    find::version(&state.store, &target)?;
    if input.update_runtime_on != "Auto" {
        return Err(Error::unsupported(format!("UpdateRuntimeOn {}", input.update_runtime_on)).into());
    }
    Ok(RuntimeManagement::auto(&target))
}
