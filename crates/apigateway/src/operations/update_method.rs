use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::edit::{self, At};
use crate::patch::{self, PatchOperation};
use crate::{State, method, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Method, Fault> {
    let input = call.input;
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let verb = input.http_method.clone();
    let update = move |method: &mut pitbird_records::Method, around: &method::Surroundings| {
        patch::each(input.patch_operations.as_deref(), |patch| method::apply(method, patch))?;
        method::settle(method, around)?;
        Ok(shape::Method::new(&input.http_method, method.clone()))
    };
    Ok(edit::method_among(&state, at, verb, update).await?)
}
