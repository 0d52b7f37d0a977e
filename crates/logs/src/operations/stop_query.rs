use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    query_id: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    success: bool,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    state.queries.cancel(&caller.scope, &input.query_id)?;
    Ok(Output { success: true })
}
