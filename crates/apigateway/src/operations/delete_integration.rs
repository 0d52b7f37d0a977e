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
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let input = call.input;
    let at = At { scope: call.caller.scope, api_id: input.rest_api_id, resource_id: input.resource_id };
    let delete = |method: &mut pitbird_records::Method| {
        method.integration.take().ok_or(Error::UnknownIntegration).map(|_| ())
    };
    edit::method(&state, at, input.http_method, delete).await?;
    Ok(Nothing {})
}
