use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::{Error, State, group};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    log_stream_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    group::kept(&state, &caller.scope, &input.log_group_name).await?;
    let created =
        state.telemetry.create_stream(&caller.scope, &input.log_group_name, &input.log_stream_name).await;
    created.map_err(Error::from)?;
    Ok(Nothing {})
}
