use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::domain_name::{self, base_path};
use crate::{State, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    domain_name: String,
    base_path: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::BasePathMapping, Fault> {
    let Call { caller, input, .. } = call;
    let domain = domain_name::domain(&state.store, &caller.scope, &input.domain_name)?;
    let mapping = base_path::find(&state.store, &domain.scope, &domain.name, &input.base_path)?;
    Ok(mapping.into())
}
