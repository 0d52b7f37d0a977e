use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, client_certificate, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    client_certificate_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ClientCertificate, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let mut found = find::client_certificate(tx, &caller.scope, &input.client_certificate_id)?;
        let operations = input.patch_operations.as_deref();
        patch::each(operations, |patch| client_certificate::apply(&mut found, patch))?;
        tx.put(&found)?;
        Ok::<_, Error>(found)
    };
    Ok(state.store.write(update).await?.into())
}
