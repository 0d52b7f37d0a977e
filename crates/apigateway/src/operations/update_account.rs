use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use super::get_account::Output;
use crate::patch::{self, PatchOperation};
use crate::{Error, State, account, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut pitbird_store::Transaction<'_>| {
        let mut account = find::account(tx, &caller.scope)?;
        patch::each(input.patch_operations.as_deref(), |patch| account::apply(&mut account, patch))?;
        tx.put(&account)?;
        Ok::<_, Error>(account)
    };
    Ok(Output::new(state.store.write(update).await?, state.account_throttle))
}
