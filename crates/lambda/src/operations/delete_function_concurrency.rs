use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::view::Nothing;
use crate::{State, Target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "DeleteFunctionConcurrency", &input.function_name)?;
    let release = |whole: &mut pitbird_records::function::WholeFunction| {
        whole.reserved_concurrency = None;
        Ok(())
    };
    super::change_whole(&state, target, release).await?;
    Ok(Nothing {})
}
