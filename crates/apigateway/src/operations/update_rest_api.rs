use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, find, rest_api, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RestApi, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut pitbird_store::Transaction<'_>| {
        let mut api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        patch::each(input.patch_operations.as_deref(), |patch| rest_api::apply(&mut api, patch))?;
        tx.put(&api)?;
        Ok::<_, Error>(api)
    };
    Ok(shape::RestApi::whole(state.store.write(update).await?))
}
