use std::sync::Arc;

use pitbird_records::DocumentationPart;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, documentation, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    documentation_part_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DocumentationPart, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let mut record: DocumentationPart =
            find::child(tx, scope, api_id, &input.documentation_part_id, || Error::UnknownDocumentationPart)?;
        patch::each(input.patch_operations.as_deref(), |patch| documentation::apply(&mut record, patch))?;
        tx.put(&record)?;
        Ok::<_, Error>(record)
    };
    Ok(state.store.write(update).await?.into())
}
