use std::sync::Arc;

use pitbird_records::Authorizer;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, authorizer, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    authorizer_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Authorizer, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let mut record: Authorizer =
            find::child(tx, scope, api_id, &input.authorizer_id, || Error::UnknownAuthorizer)?;
        let before = authorizer::is_pool(&record);
        patch::each(input.patch_operations.as_deref(), |patch| authorizer::apply(&mut record, patch))?;
        authorizer::settle(&mut record, &find::children(tx, scope, api_id)?)?;
        if before != authorizer::is_pool(&record) {
            // A method says which of both kinds it asks.
            let resources = find::children(tx, scope, api_id)?;
            authorizer::check_unused(&record, &resources).map_err(|_| Error::Authorizer)?;
        }
        tx.put(&record)?;
        Ok::<_, Error>(record)
    };
    Ok(state.store.write(update).await?.into())
}
