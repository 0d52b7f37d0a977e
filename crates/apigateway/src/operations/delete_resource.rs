use std::sync::Arc;

use pitbird_records::{Resource, key};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find, resource};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
}

/// Deletes a resource and all below it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut pitbird_store::Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let head = find::resource(tx, scope, api_id, &input.resource_id)?;
        if head.parent_id.is_none() {
            return Err(Error::RootDelete);
        }
        for id in resource::family(&find::resources(tx, scope, api_id)?, &head.id) {
            tx.delete::<Resource>(&key(scope, &[api_id, &id]))?;
        }
        Ok(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
