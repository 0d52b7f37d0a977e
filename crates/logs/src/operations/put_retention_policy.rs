use std::sync::Arc;

use pitbird_records::LogGroup;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::{Error, State, group};

/// Days that may be chosen. Source: PutRetentionPolicy.
const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    retention_in_days: i64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let days = DAYS.into_iter().find(|days| i64::from(*days) == input.retention_in_days);
    let days = days.ok_or(Error::Retention(input.retention_in_days))?;
    let set = move |group: &mut LogGroup| {
        group.retention_days = Some(days);
        Ok(())
    };
    group::change(&state, &caller.scope, &input.log_group_name, set).await?;
    Ok(Nothing {})
}
