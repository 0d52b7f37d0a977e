use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::edit::{self, At};
use crate::patch::{self, PatchOperation};
use crate::{Error, State, find, integration, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::IntegrationResponse, Fault> {
    let input = call.input;
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let (status, operations) = (input.status_code, input.patch_operations);
    let update = move |method: &mut pitbird_records::Method| {
        let mut integration = find::integration(method)?.clone();
        let response = integration.responses.get_mut(&status).ok_or(Error::UnknownResponse)?;
        patch::each(operations.as_deref(), |patch| integration::apply_to_response(response, patch))?;
        let response = response.clone();
        integration::check_response(method, &status, &response)?;
        method.integration = Some(integration);
        Ok(shape::IntegrationResponse::new(&status, response))
    };
    Ok(edit::method(&state, at, input.http_method, update).await?)
}
