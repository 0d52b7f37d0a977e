use std::sync::Arc;

use pitbird_records::{HttpStage, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, domain_name, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    stage_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let stage = find::stage(tx, &api, &input.stage_name)?;
        domain_name::check_unmapped(tx, &api.scope, &api.id, Some(&stage.name))?;
        tx.delete::<HttpStage>(&stage.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
