use std::sync::Arc;

use pitbird_records::RequestValidator;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    request_validator_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RequestValidator, Fault> {
    let Call { caller, input, .. } = call;
    let record: RequestValidator =
        find::child(&state.store, &caller.scope, &input.rest_api_id, &input.request_validator_id, || {
            Error::UnknownRequestValidator
        })?;
    Ok(record.into())
}
