use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::event_invoke_config::{self, View};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

/// The rules for asynchronous invocations through one name.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, .. } = call;
    let qualifier = input.qualifier.as_deref();
    let operation = "GetFunctionEventInvokeConfig";
    let target =
        event_invoke_config::target(&state.store, &caller, operation, &input.function_name, qualifier)?;
    Ok(event_invoke_config::find(&state.store, &target)?.into())
}
