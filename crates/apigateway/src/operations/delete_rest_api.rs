use std::sync::Arc;

use pitbird_records::{
    Authorizer, Deployment, DocumentationPart, DocumentationVersion, GatewayResponse, Model, Record,
    RequestValidator, Resource, RestApi, Stage, prefix,
};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::domain_name::base_path;
use crate::shape::Nothing;
use crate::{Error, State, find, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
}

/// Deletes an API that no domain leads to, with all that belongs to it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut pitbird_store::Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        base_path::check_unmapped(tx, &api.scope, &api.id, None)?;
        let below = prefix(&api.scope, &[&api.id]);
        tx.delete_all::<Stage>(&below)?;
        tx.delete_all::<Deployment>(&below)?;
        tx.delete_all::<Resource>(&below)?;
        tx.delete_all::<Model>(&below)?;
        tx.delete_all::<RequestValidator>(&below)?;
        tx.delete_all::<Authorizer>(&below)?;
        tx.delete_all::<GatewayResponse>(&below)?;
        tx.delete_all::<DocumentationPart>(&below)?;
        tx.delete_all::<DocumentationVersion>(&below)?;
        usage_plan::forget(tx, &api.scope, &api.id, None)?;
        tx.delete::<RestApi>(&api.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
