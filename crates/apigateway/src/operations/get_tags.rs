use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault, Harmless};
use serde::{Deserialize, Serialize};

use crate::{State, tags};

/// The list has no pages, with AWS neither.
pub const HARMLESS: Harmless = &["position", "limit"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    resource_arn: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    tags: Texts,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let scope = &call.caller.scope;
    let tagged = tags::parse(&call.input.resource_arn, scope)?;
    let tags = tags::read(&state.store, scope, &tagged)?;
    Ok(Output { tags })
}
