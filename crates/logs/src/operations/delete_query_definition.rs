use std::sync::Arc;

use pitbird_records::QueryDefinition;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    query_definition_id: String,
}

#[derive(Debug, Serialize)]
pub struct Output {
    success: bool,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let key = QueryDefinition::key_of(&caller.scope, &input.query_definition_id);
    let delete = move |tx: &mut Transaction<'_>| {
        if !tx.exists::<QueryDefinition>(&key)? {
            return Err(Error::NoDefinition);
        }
        tx.delete::<QueryDefinition>(&key)?;
        Ok(())
    };
    state.store.write(delete).await?;
    Ok(Output { success: true })
}
