use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use pitbird_records::{Alias, EventInvokeConfig, FunctionPolicy, FunctionUrl, ProvisionedConcurrency};
use pitbird_store::Transaction;

use crate::view::Nothing;
use crate::{Error, State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    name: String,
}

/// Deletes an alias with what is its own; deleting one that isn't there succeeds.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "DeleteAlias", &input.function_name)?;
    let delete = move |tx: &mut Transaction<'_>| {
        find::head(tx, &target)?;
        if tx.delete::<Alias>(&target.key(&input.name))? {
            tx.delete::<FunctionPolicy>(&target.key(&input.name))?;
            tx.delete::<EventInvokeConfig>(&target.key(&input.name))?;
            tx.delete::<FunctionUrl>(&target.key(&input.name))?;
            tx.delete::<ProvisionedConcurrency>(&target.key(&input.name))?;
        }
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
