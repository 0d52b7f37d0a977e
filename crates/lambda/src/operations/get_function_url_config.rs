use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::Nothing;
use crate::{Error, State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

/// There are no function URLs yet, and so never one to be had.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let qualifier = input.qualifier.as_deref();
    let target = Target::parse(&caller, "GetFunctionUrlConfig", &input.function_name, qualifier)?;
    find::version(&state.store, &target)?;
    Err(Error::UnknownResource.into())
}
