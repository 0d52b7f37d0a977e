use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, group};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    tags: Texts,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    Ok(Output { tags: group::find(&state, &caller.scope, &input.log_group_name).await?.tags })
}
