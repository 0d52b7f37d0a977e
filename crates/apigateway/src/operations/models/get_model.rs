use std::sync::Arc;

use pitbird_records::Model;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, find, model, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    model_name: String,
    flatten: Option<bool>,
}

/// A model, on demand with all others that its schema refers to.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Model, Fault> {
    let Call { caller, input, .. } = call;
    let mut found = model::named(&state.store, &caller.scope, &input.rest_api_id, &input.model_name)?;
    if input.flatten.unwrap_or_default() {
        let models: Vec<Model> = find::children(&state.store, &caller.scope, &input.rest_api_id)?;
        found.schema = found.schema.map(|schema| model::flatten(&schema, &models));
    }
    Ok(found.into())
}
