use std::sync::Arc;

use pitbird_records::{LogGroup, Texts};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::{State, group, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    tags: Texts,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let add = |group: &mut LogGroup| tags::add(&mut group.tags, input.tags, &group.scope, &group.name);
    group::change(&state, &caller.scope, &input.log_group_name, add).await?;
    Ok(Nothing {})
}
