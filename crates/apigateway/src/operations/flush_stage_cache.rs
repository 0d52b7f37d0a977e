use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    stage_name: String,
}

/// Makes all answers that a stage has kept stale.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let flush = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let mut stage = find::stage(tx, &api.scope, &api.id, &input.stage_name)?;
        stage.cache_flushed = stage.cache_flushed.wrapping_add(1);
        tx.put(&stage)?;
        Ok::<_, Error>(())
    };
    state.store.write(flush).await?;
    Ok(Nothing {})
}
