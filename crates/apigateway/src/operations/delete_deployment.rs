use std::sync::Arc;

use pitbird_records::{Deployment, Record};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, deployment, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    deployment_id: String,
}

/// Deletes a deployment that neither a stage nor a canary serves.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut pitbird_store::Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let deployment = find::deployment(tx, &api.scope, &api.id, &input.deployment_id)?;
        deployment::check_unused(&deployment.id, &find::stages(tx, &api.scope, &api.id)?)?;
        tx.delete::<Deployment>(&deployment.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
