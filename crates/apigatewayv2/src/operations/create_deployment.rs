use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, api, deployment, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    description: Option<String>,
    stage_name: Option<String>,
}

/// Freezes an API. With a stage's name the stage serves it from then on.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Deployment, Fault> {
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let stage = input.stage_name.map(|name| find::stage(tx, &api, &name)).transpose()?;
        if stage.as_ref().is_some_and(|stage| stage.auto_deploy) {
            return Err(Error::DeploymentOfAutoStage);
        }
        let description = input.description.map_or(Ok(None), api::description)?;
        let id = deployment::unused_id(tx, &api, entropy)?;
        let frozen = deployment::freeze(tx, &api, id, description, now_ms)?;
        tx.put(&frozen)?;
        if let Some(mut stage) = stage {
            deployment::move_to(&mut stage, &frozen.id);
            stage.updated_ms = now_ms;
            tx.put(&stage)?;
        }
        Ok(frozen)
    };
    Ok(state.store.write(create).await?.into())
}
