use std::sync::Arc;

use pitbird_records::{LogGroup, Texts};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::Nothing;
use crate::{State, group, identifier, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    resource_arn: String,
    tags: Texts,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let name = identifier::from_arn(&input.resource_arn, &caller.scope)?;
    let add = |group: &mut LogGroup| tags::add(&mut group.tags, input.tags, &group.scope, &group.name);
    group::change(&state, &caller.scope, &name, add).await?;
    Ok(Nothing {})
}
