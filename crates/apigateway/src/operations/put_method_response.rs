use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::{MethodResponse, Texts};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::edit::{self, At};
use crate::{Error, State, method, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    response_parameters: Option<BTreeMap<String, bool>>,
    response_models: Option<Texts>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::MethodResponse, Fault> {
    let input = call.input;
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let status = input.status_code;
    let response = MethodResponse {
        response_parameters: input.response_parameters.unwrap_or_default(),
        response_models: input.response_models.unwrap_or_default(),
    };
    let put = move |method: &mut pitbird_records::Method, around: &method::Surroundings| {
        if method.responses.contains_key(&status) {
            return Err(Error::ResponseExists);
        }
        method::check_response(&response, around)?;
        method.responses.insert(status.clone(), response.clone());
        Ok(shape::MethodResponse::new(&status, response))
    };
    Ok(edit::method_among(&state, at, input.http_method, put).await?)
}
