use std::sync::Arc;

use pitbird_records::Model;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, find, model};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    model_name: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    value: String,
}

/// A sample mapping template whose output is of the model.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let found = model::named(&state.store, &caller.scope, &input.rest_api_id, &input.model_name)?;
    let models: Vec<Model> = find::children(&state.store, &caller.scope, &input.rest_api_id)?;
    let schema = model::flatten(found.schema.as_deref().unwrap_or("{}"), &models);
    Ok(Output { value: model::template(&schema) })
}
