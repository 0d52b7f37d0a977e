use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;

#[derive(Debug, Deserialize)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    account_aliases: Vec<String>,
    is_truncated: bool,
}

/// A list that is always empty needs no pages.
pub const HARMLESS: pitbird_service::Harmless = &["Marker", "MaxItems"];

/// No alias can be made, so there is none.
pub async fn run(_: Arc<State>, _: Call<Input>) -> Result<Output, Fault> {
    Ok(Output { account_aliases: Vec::new(), is_truncated: false })
}
