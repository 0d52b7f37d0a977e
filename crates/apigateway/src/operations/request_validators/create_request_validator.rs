use std::sync::Arc;

use pitbird_records::RequestValidator;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::request_validator::VALIDATORS_MAX;
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    name: Option<String>,
    validate_request_body: Option<bool>,
    validate_request_parameters: Option<bool>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RequestValidator, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (caller.scope, input.rest_api_id);
        let unknown_api = |error| match error {
            Error::UnknownApi { .. } => Error::BadApi,
            error => error,
        };
        let validators: Vec<RequestValidator> = find::children(tx, &scope, &api_id).map_err(unknown_api)?;
        if validators.len() >= VALIDATORS_MAX {
            return Err(Error::TooMany { what: "request validators for this API", limit: VALIDATORS_MAX });
        }
        let validator = RequestValidator {
            id: find::unused_id::<RequestValidator>(tx, &scope, &[&api_id], 6, entropy)?,
            scope,
            api_id,
            name: input.name,
            validate_request_body: input.validate_request_body.unwrap_or_default(),
            validate_request_parameters: input.validate_request_parameters.unwrap_or_default(),
        };
        tx.put(&validator)?;
        Ok(validator)
    };
    Ok(state.store.write(create).await?.into())
}
