use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::tagged::Tagged;
use crate::State;
use crate::shape::tags::{self, Tag};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    resource_arn: String,
    /// All tags fit on one page.
    #[expect(dead_code, reason = "there is no second page")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Vec<Tag>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let found = Tagged::find(&state.parts.store, &call.caller.scope, &call.input.resource_arn)?;
    Ok(Output { tags: tags::shown(found.tags()) })
}
