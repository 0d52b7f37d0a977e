use std::sync::Arc;

use pitbird_records::RequestValidator;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, find, request_validator, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    request_validator_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RequestValidator, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let mut record: RequestValidator =
            find::child(tx, scope, api_id, &input.request_validator_id, || Error::UnknownRequestValidator)?;
        patch::each(input.patch_operations.as_deref(), |patch| request_validator::apply(&mut record, patch))?;
        tx.put(&record)?;
        Ok::<_, Error>(record)
    };
    Ok(state.store.write(update).await?.into())
}
