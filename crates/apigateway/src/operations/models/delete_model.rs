use std::sync::Arc;

use pitbird_records::{Model, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find, model};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    model_name: String,
}

/// Deletes a model that no method and no other model refers to.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let record: Model = find::child(tx, scope, api_id, &input.model_name, || {
            Error::UnknownModel(input.model_name.clone())
        })?;
        let resources = find::resources(tx, scope, api_id)?;
        model::check_unused(&record.name, &resources, &find::children(tx, scope, api_id)?)?;
        tx.delete::<Model>(&record.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
