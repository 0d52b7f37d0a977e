use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DomainName, Fault> {
    Ok(domain_name::find(&state.store, &call.caller.scope, &call.input.domain_name)?.into())
}
