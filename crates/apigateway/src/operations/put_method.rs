use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::{Method, Texts};
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
    authorization_type: String,
    authorizer_id: Option<String>,
    authorization_scopes: Option<Vec<String>>,
    api_key_required: Option<bool>,
    operation_name: Option<String>,
    request_parameters: Option<BTreeMap<String, bool>>,
    request_models: Option<Texts>,
    request_validator_id: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Method, Fault> {
    let input = call.input;
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let verb = input.http_method;
    let mut method = Method {
        authorization_type: input.authorization_type,
        authorizer_id: input.authorizer_id.filter(|id| !id.is_empty()),
        authorization_scopes: input.authorization_scopes.unwrap_or_default(),
        api_key_required: input.api_key_required.unwrap_or_default(),
        request_validator_id: input.request_validator_id.filter(|id| !id.is_empty()),
        operation_name: input.operation_name.filter(|name| !name.is_empty()),
        request_parameters: input.request_parameters.unwrap_or_default(),
        request_models: input.request_models.unwrap_or_default(),
        responses: BTreeMap::new(),
        integration: None,
    };
    let put = move |resource: &mut pitbird_records::Resource, around: &method::Surroundings| {
        method::check_verb(&verb)?;
        if resource.methods.contains_key(&verb) {
            return Err(Error::MethodExists);
        }
        method::settle(&mut method, around)?;
        resource.methods.insert(verb.clone(), method.clone());
        Ok(shape::Method::new(&verb, method))
    };
    Ok(edit::resource_among(&state, at, put).await?)
}
