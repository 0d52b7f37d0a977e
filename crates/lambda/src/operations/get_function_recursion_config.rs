use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::Recursion;
use crate::{State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Recursion, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "GetFunctionRecursionConfig", &input.function_name)?;
    let whole = find::head(&state.store, &target)?.function.unwrap_or_default();
    Ok(Recursion::new(whole.allows_loops))
}
