use std::sync::Arc;

use pitbird_records::{Record, UsagePlanKey};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, find, shape, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
    key_id: String,
    key_type: String,
}

/// Puts a key into a plan. For one stage a key has one plan.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::UsagePlanKey, Fault> {
    let Call { caller, input, .. } = call;
    let create = move |tx: &mut Transaction<'_>| {
        let plan = usage_plan::plan(tx, &caller.scope, &input.usage_plan_id)?;
        if input.key_type != "API_KEY" {
            return Err(Error::KeyType(input.key_type));
        }
        let key = find::api_key(tx, &caller.scope, &input.key_id)?;
        let place = UsagePlanKey { scope: caller.scope, plan_id: plan.id.clone(), key_id: key.id.clone() };
        if tx.exists::<UsagePlanKey>(&place.key())? {
            return Err(Error::UsagePlanKeyExists);
        }
        usage_plan::check_single(&plan, &key.id, tx)?;
        tx.put(&place)?;
        Ok(key)
    };
    Ok(state.store.write(create).await?.into())
}
