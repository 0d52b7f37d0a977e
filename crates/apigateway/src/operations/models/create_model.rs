use std::sync::Arc;

use pitbird_names::resource_id;
use pitbird_records::Model;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::model::{self, MODELS_MAX};
use crate::{Error, State, find, mapping, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    name: String,
    description: Option<String>,
    schema: Option<String>,
    content_type: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Model, Fault> {
    let Call { caller, input, .. } = call;
    let id = resource_id((state.entropy)());
    let create = move |tx: &mut Transaction<'_>| {
        let models: Vec<Model> = find::children(tx, &caller.scope, &input.rest_api_id)?;
        model::check_name(&input.name)?;
        if models.iter().any(|model| model.name == input.name) {
            return Err(Error::ModelExists);
        }
        model::check_text(input.schema.as_deref())?;
        mapping::check_template(&input.content_type, "")?;
        if models.len() >= MODELS_MAX {
            return Err(Error::TooMany { what: "models for this API", limit: MODELS_MAX });
        }
        let model = Model {
            scope: caller.scope,
            api_id: input.rest_api_id,
            id,
            name: input.name,
            description: input.description.filter(|text| !text.is_empty()),
            schema: input.schema,
            content_type: input.content_type,
        };
        model::check_schema(&model, &models)?;
        tx.put(&model)?;
        Ok(model)
    };
    Ok(state.store.write(create).await?.into())
}
