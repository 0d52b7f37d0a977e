use std::sync::Arc;

use pitbird_records::{
    HttpApi, HttpAuthorizer, HttpDeployment, HttpIntegration, HttpRoute, HttpStage, Record, prefix,
};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, domain_name, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
}

/// Deletes an API with all that belongs to it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        domain_name::check_unmapped(tx, &api.scope, &api.id, None)?;
        let below = prefix(&api.scope, &[&api.id]);
        tx.delete_all::<HttpStage>(&below)?;
        tx.delete_all::<HttpDeployment>(&below)?;
        tx.delete_all::<HttpRoute>(&below)?;
        tx.delete_all::<HttpIntegration>(&below)?;
        tx.delete_all::<HttpAuthorizer>(&below)?;
        tx.delete::<HttpApi>(&api.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
