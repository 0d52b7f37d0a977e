use std::sync::Arc;

use pitbird_records::{GatewayResponse, key};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::find::Records;
use crate::patch::{self, PatchOperation};
use crate::{Error, State, find, gateway_response, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    response_type: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

/// Changes an answer's form; what was the default becomes the API's own by that.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::GatewayResponse, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let key = key(&api.scope, &[&api.id, &input.response_type]);
        let found: Option<GatewayResponse> = Records::get(tx, &key)?;
        let default = || gateway_response::default(&api.scope, &api.id, &input.response_type);
        let mut response = found.unwrap_or_else(default);
        let operations = input.patch_operations.as_deref();
        patch::each(operations, |patch| gateway_response::apply(&mut response, patch))?;
        gateway_response::check(&response)?;
        tx.put(&response)?;
        Ok::<_, Error>(response)
    };
    Ok(shape::GatewayResponse::new(state.store.write(update).await?, false))
}
