use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, api_mapping, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_mapping_id: String,
    domain_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ApiMapping, Fault> {
    let Call { caller, input, .. } = call;
    let domain = domain_name::find(&state.store, &caller.scope, &input.domain_name)?;
    Ok(api_mapping::find(&state.store, &domain, &input.api_mapping_id)?.into())
}
