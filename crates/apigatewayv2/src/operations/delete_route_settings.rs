use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    route_key: String,
    stage_name: String,
}

/// Lets a route go by the settings of all routes again.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let change = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let mut stage = find::stage(tx, &api, &input.stage_name)?;
        if stage.route_settings.remove(&input.route_key).is_none() {
            return Err(Error::UnknownRouteKey(input.route_key));
        }
        stage.updated_ms = now_ms;
        tx.put(&stage)?;
        Ok::<_, Error>(())
    };
    state.store.write(change).await?;
    Ok(Nothing {})
}
