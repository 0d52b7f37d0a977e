use std::sync::Arc;

use pitbird_records::{ApiKey, Record, Usage, UsageGrant, UsagePlanKey, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    api_key: String,
}

/// Deletes a key, and takes it out of its plans.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let scope = &caller.scope;
        let found = find::api_key(tx, scope, &input.api_key)?;
        for plan in usage_plan::with_key(scope, &found.id, tx)? {
            tx.delete::<UsagePlanKey>(&key(scope, &[&plan.id, &found.id]))?;
            tx.delete::<UsageGrant>(&key(scope, &[&plan.id, &found.id]))?;
            tx.delete_all::<Usage>(&prefix(scope, &[&plan.id, &found.id]))?;
        }
        tx.delete::<ApiKey>(&found.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
