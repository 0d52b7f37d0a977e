use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::edit::{self, At};
use crate::patch::{self, PatchOperation};
use crate::{State, find, integration, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Integration, Fault> {
    let input = call.input;
    let scope = call.caller.scope.clone();
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let operations = input.patch_operations;
    let update = move |method: &mut pitbird_records::Method| {
        let mut changed = find::integration(method)?.clone();
        patch::each(operations.as_deref(), |patch| integration::apply(&mut changed, patch))?;
        integration::settle(method, &mut changed, &scope)?;
        method.integration = Some(changed.clone());
        Ok(shape::Integration::from(changed))
    };
    Ok(edit::method(&state, at, input.http_method, update).await?)
}
