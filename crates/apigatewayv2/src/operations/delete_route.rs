use std::sync::Arc;

use pitbird_records::{HttpRoute, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{State, deployment, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    route_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let entropy = state.entropy;
    let Call { caller, input, now_ms, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let route = find::route(tx, &api, &input.route_id)?;
        tx.delete::<HttpRoute>(&route.key())?;
        deployment::settle(tx, &api, entropy, now_ms)
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
