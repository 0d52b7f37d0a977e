use std::sync::Arc;

use pitbird_records::Authorizer;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    authorizer_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Authorizer, Fault> {
    let Call { caller, input, .. } = call;
    let record: Authorizer =
        find::child(&state.store, &caller.scope, &input.rest_api_id, &input.authorizer_id, || {
            Error::UnknownAuthorizer
        })?;
    Ok(record.into())
}
