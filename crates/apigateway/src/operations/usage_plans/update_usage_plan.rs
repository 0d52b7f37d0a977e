use std::sync::Arc;

use pitbird_records::{UsagePlanKey, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::find::Records;
use crate::patch::{self, PatchOperation};
use crate::{Error, State, shape, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::UsagePlan, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let before = usage_plan::plan(tx, &caller.scope, &input.usage_plan_id)?;
        let mut plan = before.clone();
        patch::each(input.patch_operations.as_deref(), |patch| usage_plan::apply(&mut plan, patch))?;
        usage_plan::check(&plan, tx)?;
        if plan.api_stages.len() > before.api_stages.len() {
            let keys: Vec<UsagePlanKey> = Records::list(tx, &prefix(&plan.scope, &[&plan.id]))?;
            for key in keys {
                usage_plan::check_single(&plan, &key.key_id, tx)?;
            }
        }
        tx.put(&plan)?;
        Ok::<_, Error>(plan)
    };
    Ok(state.store.write(update).await?.into())
}
