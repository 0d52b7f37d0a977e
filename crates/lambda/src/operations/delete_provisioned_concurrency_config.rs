use std::sync::Arc;

use pitbird_records::ProvisionedConcurrency;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::view::Nothing;
use crate::{Error, State, Target, provisioned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: String,
}

/// Keeps no more environments of a version or an alias ready; also where none were.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let (operation, qualifier) = ("DeleteProvisionedConcurrencyConfig", Some(&*input.qualifier));
    let target = Target::parse(&state.store, &caller, operation, &input.function_name, qualifier)?;
    let delete = move |tx: &mut Transaction<'_>| {
        provisioned::check_there(tx, &target)?;
        tx.delete::<ProvisionedConcurrency>(&provisioned::key(&target))?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
