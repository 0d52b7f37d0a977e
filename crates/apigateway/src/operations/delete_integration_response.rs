use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::edit::{self, At};
use crate::shape::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
}

/// Deletes an integration response. Here a missing method is told as a missing integration (recorded answer).
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let input = call.input;
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let delete = move |resource: &mut pitbird_records::Resource| {
        let method = resource.methods.get_mut(&input.http_method);
        let integration = method.and_then(|method| method.integration.as_mut());
        let integration = integration.ok_or(Error::UnknownIntegration)?;
        integration.responses.remove(&input.status_code).ok_or(Error::UnknownResponse).map(|_| ())
    };
    edit::resource(&state, at, delete).await?;
    Ok(Nothing {})
}
