use std::sync::Arc;

use pitbird_records::{Usage, UsageGrant, UsagePlanKey, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
    key_id: String,
}

/// Takes a key out of a plan, and forgets what it has used.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let (scope, parts) = (&caller.scope, [input.usage_plan_id.as_str(), input.key_id.as_str()]);
        usage_plan::key_of(tx, scope, parts[0], parts[1])?;
        tx.delete::<UsagePlanKey>(&key(scope, &parts))?;
        tx.delete::<UsageGrant>(&key(scope, &parts))?;
        tx.delete_all::<Usage>(&prefix(scope, &parts))?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
