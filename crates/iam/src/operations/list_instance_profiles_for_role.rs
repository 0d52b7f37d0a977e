use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::Nothing;
use crate::{State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    instance_profiles: Vec<Nothing>,
    is_truncated: bool,
}

/// A list that is always empty needs no pages.
pub const HARMLESS: pitbird_service::Harmless = &["Marker", "MaxItems"];

/// There are no instances, so there are no profiles for them: no role has any.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    find::role(&state.store, &call.caller.scope.account, &call.input.role_name)?;
    Ok(Output { instance_profiles: Vec::new(), is_truncated: false })
}
