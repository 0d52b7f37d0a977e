use std::sync::Arc;

use pitbird_records::{DeployApplication, DeployGroup, DeployRevision, Record, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
}

/// Deletes an application with its groups and revisions; one that isn't there is deleted already. A deployment that runs
/// fails for want of its group.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let Call { caller, input, .. } = call;
    name::application(&input.application_name)?;
    let delete = move |tx: &mut Transaction<'_>| {
        let scope = caller.scope;
        let found = tx.get::<DeployApplication>(&key(&scope, &[&input.application_name]))?;
        let Some(application) = found.map(|found| found.record) else { return Ok(()) };
        tx.delete_all::<DeployGroup>(&prefix(&scope, &[&application.id]))?;
        tx.delete_all::<DeployRevision>(&prefix(&scope, &[&application.id]))?;
        tx.delete::<DeployApplication>(&application.key())?;
        Ok::<_, Error>(())
    };
    state.parts.store.write(delete).await?;
    state.drivers.ring_all();
    Ok(())
}
