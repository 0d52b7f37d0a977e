use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, api_key, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    api_key: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ApiKey, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let mut key = find::api_key(tx, &caller.scope, &input.api_key)?;
        patch::each(input.patch_operations.as_deref(), |patch| api_key::apply(&mut key, patch))?;
        key.updated_ms = now_ms;
        tx.put(&key)?;
        Ok::<_, Error>(key)
    };
    Ok(shape::ApiKey::new(state.store.write(update).await?, false))
}
