use std::sync::Arc;

use pitbird_service::{Call, Fault, Harmless};
use serde::{Deserialize, Serialize};

use crate::State;

/// A list of nothing has no pages.
pub const HARMLESS: Harmless = &["Marker", "MaxItems"];

#[derive(Debug, Deserialize)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    code_signing_configs: [(); 0],
}

/// None: code isn't signed here, and making a configuration is refused.
pub async fn run(_state: Arc<State>, _call: Call<Input>) -> Result<Output, Fault> {
    Ok(Output { code_signing_configs: [] })
}
