use std::sync::Arc;

use pitbird_records::{HttpDeployment, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, deployment, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    deployment_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let deployment = find::deployment(tx, &api, &input.deployment_id)?;
        deployment::check_unused(&deployment.id, &find::stages(tx, &api)?)?;
        tx.delete::<HttpDeployment>(&deployment.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
