use std::sync::Arc;

use pitbird_records::ProvisionedConcurrency;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::view::Nothing;
use crate::{Error, State, provisioned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: String,
}

/// Keeps no more environments of a version or an alias ready; also where none were.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let operation = "DeleteProvisionedConcurrencyConfig";
        let target = provisioned::target(tx, &caller, operation, &input.function_name, &input.qualifier)?;
        tx.delete::<ProvisionedConcurrency>(&provisioned::key(&target))?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
