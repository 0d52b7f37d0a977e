use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::{IntegrationResponse, Texts};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::edit::{self, At};
use crate::{State, find, integration, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    selection_pattern: Option<String>,
    response_parameters: Option<Texts>,
    response_templates: Option<BTreeMap<String, Option<String>>>,
    content_handling: Option<String>,
}

/// Puts an integration response, in place of one that was there.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::IntegrationResponse, Fault> {
    let input = call.input;
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let status = input.status_code;
    let templates = input.response_templates.unwrap_or_default().into_iter();
    let response = IntegrationResponse {
        selection_pattern: input.selection_pattern,
        response_parameters: input.response_parameters.unwrap_or_default(),
        response_templates: templates.map(|(media, text)| (media, text.unwrap_or_default())).collect(),
        content_handling: input.content_handling.filter(|text| !text.is_empty()),
    };
    let put = move |method: &mut pitbird_records::Method| {
        let mut integration = find::integration(method)?.clone();
        integration::check_response(method, &status, &response)?;
        integration.responses.insert(status.clone(), response.clone());
        method.integration = Some(integration);
        Ok(shape::IntegrationResponse::new(&status, response))
    };
    Ok(edit::method(&state, at, input.http_method, put).await?)
}
