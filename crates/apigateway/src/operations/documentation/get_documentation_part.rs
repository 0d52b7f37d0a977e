use std::sync::Arc;

use pitbird_records::DocumentationPart;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    documentation_part_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DocumentationPart, Fault> {
    let Call { caller, input, .. } = call;
    let record: DocumentationPart =
        find::child(&state.store, &caller.scope, &input.rest_api_id, &input.documentation_part_id, || {
            Error::UnknownDocumentationPart
        })?;
    Ok(record.into())
}
