use std::sync::Arc;

use pitbird_names::Qualifier;
use pitbird_records::ProvisionedConcurrency;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::provisioned::{self, View};
use crate::{Error, State, Target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: String,
    provisioned_concurrent_executions: u32,
}

/// Keeps environments of a version or an alias ready from now on.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let (operation, qualifier) = ("PutProvisionedConcurrencyConfig", Some(&*input.qualifier));
    let target = Target::parse(&state.store, &caller, operation, &input.function_name, qualifier)?;
    let put = move |tx: &mut Transaction<'_>| {
        provisioned::check_there(tx, &target).map_err(|error| match error {
            Error::NotPublished => Error::ProvisionedLatest,
            other => other,
        })?;
        provisioned::check(tx, &target, input.provisioned_concurrent_executions)?;
        let record = ProvisionedConcurrency {
            scope: target.scope,
            function: target.name,
            qualifier: target.qualifier.as_ref().map(Qualifier::to_string).unwrap_or_default(),
            requested: input.provisioned_concurrent_executions,
            modified_ms: now_ms,
        };
        tx.put(&record)?;
        Ok::<_, Error>(record)
    };
    Ok(View::begun(&state.store.write(put).await?))
}
