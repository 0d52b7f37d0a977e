use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, deployment, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    deployment_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Deployment, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut pitbird_store::Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let mut deployment = find::deployment(tx, &api.scope, &api.id, &input.deployment_id)?;
        patch::each(input.patch_operations.as_deref(), |patch| deployment::apply(&mut deployment, patch))?;
        tx.put(&deployment)?;
        Ok::<_, Error>(deployment)
    };
    Ok(shape::Deployment::new(state.store.write(update).await?, false))
}
