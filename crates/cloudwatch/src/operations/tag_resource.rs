use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::State;
use crate::shape::Nothing;
use crate::tags::{self, Tag};

#[derive(Debug, Deserialize)]
pub struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let add = |present: &mut Texts| tags::add(present, input.tags);
    tags::change(&state, caller.scope, input.resource_arn, add).await?;
    Ok(Nothing {})
}
