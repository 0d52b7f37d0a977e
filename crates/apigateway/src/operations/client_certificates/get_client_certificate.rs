use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    client_certificate_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ClientCertificate, Fault> {
    let Call { caller, input, .. } = call;
    Ok(find::client_certificate(&state.store, &caller.scope, &input.client_certificate_id)?.into())
}
