use std::sync::Arc;

use pitbird_records::DocumentationVersion;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    documentation_version: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DocumentationVersion, Fault> {
    let Call { caller, input, .. } = call;
    let record: DocumentationVersion =
        find::child(&state.store, &caller.scope, &input.rest_api_id, &input.documentation_version, || {
            Error::UnknownDocumentationVersion
        })?;
    Ok(record.into())
}
