use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;

/// No mapping fits any of them.
pub const HARMLESS: pitbird_service::Harmless = &["EventSourceArn", "FunctionName", "Marker", "MaxItems"];

#[derive(Debug, Deserialize)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    event_source_mappings: [(); 0],
}

/// None: there is nothing that a mapping could be made for.
pub async fn run(_state: Arc<State>, _call: Call<Input>) -> Result<Output, Fault> {
    Ok(Output { event_source_mappings: [] })
}
