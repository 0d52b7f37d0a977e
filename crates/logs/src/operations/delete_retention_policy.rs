use std::sync::Arc;

use pitbird_records::LogGroup;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::{State, group};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let unset = |group: &mut LogGroup| {
        group.retention_days = None;
        Ok(())
    };
    group::change(&state, &caller.scope, &input.log_group_name, unset).await?;
    Ok(Nothing {})
}
