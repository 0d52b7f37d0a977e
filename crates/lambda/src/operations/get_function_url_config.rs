use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::url::{self, View};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, endpoint, .. } = call;
    let (operation, qualifier) = ("GetFunctionUrlConfig", input.qualifier.as_deref());
    let target = url::target(&state.store, &caller, operation, &input.function_name, qualifier)?;
    Ok(View::of(url::find(&state.store, &target)?, &endpoint))
}
