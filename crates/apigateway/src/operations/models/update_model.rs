use std::sync::Arc;

use pitbird_records::Model;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, find, model, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    model_name: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Model, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let mut record: Model = find::child(tx, scope, api_id, &input.model_name, || {
            Error::UnknownModel(input.model_name.clone())
        })?;
        let before = record.schema.clone();
        patch::each(input.patch_operations.as_deref(), |patch| model::apply(&mut record, patch))?;
        if record.schema != before {
            model::check_schema(&record, &find::children(tx, scope, api_id)?)?;
        }
        tx.put(&record)?;
        Ok::<_, Error>(record)
    };
    Ok(state.store.write(update).await?.into())
}
