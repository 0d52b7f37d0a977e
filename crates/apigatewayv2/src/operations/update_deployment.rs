use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, api, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    deployment_id: String,
    description: Option<String>,
}

/// Only the description of a deployment ever changes.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Deployment, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let mut deployment = find::deployment(tx, &api, &input.deployment_id)?;
        if let Some(text) = input.description {
            deployment.description = api::description(text)?;
        }
        tx.put(&deployment)?;
        Ok::<_, Error>(deployment)
    };
    Ok(state.store.write(update).await?.into())
}
