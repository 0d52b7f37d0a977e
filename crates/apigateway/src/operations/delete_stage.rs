use std::sync::Arc;

use pitbird_records::{Record, Stage};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::domain_name::base_path;
use crate::shape::Nothing;
use crate::{Error, State, find, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    stage_name: String,
}

/// Deletes a stage that no domain leads to; usage plans let go of it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut pitbird_store::Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let stage = find::stage(tx, &api.scope, &api.id, &input.stage_name)?;
        base_path::check_unmapped(tx, &api.scope, &api.id, Some(&stage.name))?;
        usage_plan::forget(tx, &api.scope, &api.id, Some(&stage.name))?;
        tx.delete::<Stage>(&stage.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
