//! `GetCodeSigningConfig` and `ListFunctionsByCodeSigningConfig`: none is ever made, so none is there.

use std::sync::Arc;

use pitbird_service::{Call, Fault, Harmless};
use serde::Deserialize;

use crate::{Error, State};

/// A list of nothing has no pages.
pub const HARMLESS: Harmless = &["Marker", "MaxItems"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    code_signing_config_arn: String,
}

pub async fn run(_state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    Err(Error::UnknownCodeSigningConfig(call.input.code_signing_config_arn).into())
}
