use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, find, resource, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Resource, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut pitbird_store::Transaction<'_>| {
        let id = input.resource_id;
        let before = find::resources(tx, &caller.scope, &input.rest_api_id)?;
        let mut after = before.clone();
        patch::each(input.patch_operations.as_deref(), |patch| resource::apply(&mut after, &id, patch))?;
        let changed = after.iter().zip(&before).filter(|(after, before)| after != before);
        for (resource, _) in changed {
            tx.put(resource)?;
        }
        after.into_iter().find(|resource| resource.id == id).ok_or(Error::UnknownResource)
    };
    Ok(shape::Resource::new(state.store.write(update).await?, false))
}
