use std::sync::Arc;

use pitbird_records::{DeployApplication, DeployGroup, key};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::{Error, State, name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    deployment_group_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    hooks_not_cleaned_up: [(); 0],
}

/// One that isn't there is deleted already. A deployment that runs fails for want of its group.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    name::application(&input.application_name)?;
    name::group(&input.deployment_group_name)?;
    let delete = move |tx: &mut Transaction<'_>| {
        let scope = caller.scope;
        let found = tx.get::<DeployApplication>(&key(&scope, &[&input.application_name]))?;
        let Some(application) = found else { return Ok(()) };
        let key = key(&scope, &[&application.record.id, &input.deployment_group_name]);
        tx.delete::<DeployGroup>(&key)?;
        Ok::<_, Error>(())
    };
    state.parts.store.write(delete).await?;
    state.drivers.ring_all();
    Ok(Output { hooks_not_cleaned_up: [] })
}
