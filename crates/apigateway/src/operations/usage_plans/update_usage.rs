use std::sync::Arc;

use pitbird_records::{Usage, UsageGrant, key};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::find::Records;
use crate::patch::{self, Op, Patch, PatchOperation};
use crate::usage_plan::{self, day};
use crate::{Error, State, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
    key_id: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

/// Sets what a key has left of its plan's quota for the rest of the period.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Usage, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let today = day::text(day::of(now_ms));
    let update = move |tx: &mut Transaction<'_>| {
        let plan = usage_plan::plan(tx, &caller.scope, &input.usage_plan_id)?;
        let found = usage_plan::key_of(tx, &caller.scope, &plan.id, &input.key_id)?;
        if plan.quota.is_none() {
            return Err(Error::NoQuota(plan.id));
        }
        let mut remaining = None;
        patch::each(input.patch_operations.as_deref(), |patch| {
            remaining = Some(left(patch)?);
            Ok(())
        })?;
        let of_day = key(&plan.scope, &[&plan.id, &found.id, &today]);
        let usage: Option<Usage> = Records::get(tx, &of_day)?;
        let used = usage.as_ref().map_or(0, |usage| usage.used);
        let remaining = match remaining {
            Some(remaining) => {
                let (scope, plan_id, key_id) = (plan.scope, plan.id.clone(), found.id.clone());
                let grant = UsageGrant { scope, plan_id, key_id, since: today.clone(), remaining };
                tx.put(&grant)?;
                // Until the key is used again, which counts from the grant, this is what there is to tell.
                let UsageGrant { scope, plan_id, key_id, since: day, .. } = grant;
                let grant = usage.and_then(|usage| usage.grant);
                tx.put(&Usage { scope, plan_id, key_id, day, used, remaining: Some(remaining), grant })?;
                remaining
            }
            None => usage.and_then(|usage| usage.remaining).unwrap_or_default(),
        };
        let items = [(found.id, vec![[used, remaining]])].into();
        let (start_date, end_date) = (today.clone(), today);
        Ok(shape::Usage { usage_plan_id: plan.id, start_date, end_date, position: None, items })
    };
    Ok(state.store.write(update).await?)
}

fn left(patch: &Patch<'_>) -> Result<i64, Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/remaining") => {
            let value = patch.value.unwrap_or_default();
            let left = value.trim().parse().ok().filter(|left| (0..=i64::from(i32::MAX)).contains(left));
            left.ok_or_else(|| Error::SettingValue { what: "remaining".to_owned(), value: value.to_owned() })
        }
        _ => Err(patch.not_one_of("/remaining")),
    }
}
