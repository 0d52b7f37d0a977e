use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::tags::{self, Tag};

#[derive(Debug, Deserialize)]
pub struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Vec<Tag>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let tags = tags::of(&state.store, &caller.scope, &input.resource_arn)?;
    Ok(Output { tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}
