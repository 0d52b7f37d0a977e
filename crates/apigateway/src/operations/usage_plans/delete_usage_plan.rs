use std::sync::Arc;

use pitbird_records::{Record, Usage, UsageGrant, UsagePlan, UsagePlanKey, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
}

/// Deletes a plan that no stage hangs on, with what its keys have used.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let plan = usage_plan::plan(tx, &caller.scope, &input.usage_plan_id)?;
        usage_plan::check_unused(&plan)?;
        let below = prefix(&plan.scope, &[&plan.id]);
        tx.delete_all::<UsagePlanKey>(&below)?;
        tx.delete_all::<UsageGrant>(&below)?;
        tx.delete_all::<Usage>(&below)?;
        tx.delete::<UsagePlan>(&plan.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
