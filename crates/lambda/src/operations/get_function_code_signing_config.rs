use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::Nothing;
use crate::{State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
}

/// Code isn't signed here; Lambda answers nothing for functions without a configuration.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "GetFunctionCodeSigningConfig", &input.function_name)?;
    find::head(&state.store, &target)?;
    Ok(Nothing {})
}
