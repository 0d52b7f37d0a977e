use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::Configuration;
use crate::{State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Configuration, Fault> {
    let Call { caller, input, .. } = call;
    let qualifier = input.qualifier.as_deref();
    let target =
        Target::parse(&state.store, &caller, "GetFunctionConfiguration", &input.function_name, qualifier)?;
    let version = find::version(&state.store, &target)?;
    Ok(Configuration::of(version, target.qualifier.as_ref()))
}
