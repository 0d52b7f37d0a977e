use std::sync::Arc;

use pitbird_records::{Usage, UsagePlanKey, prefix};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::usage_plan::{self, day};
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
    key_id: Option<String>,
    start_date: String,
    end_date: String,
    position: Option<String>,
    limit: Option<i64>,
}

/// What a plan's keys, or one of them, have used and had left on each day.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Usage, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let plan = usage_plan::plan(&state.store, &caller.scope, &input.usage_plan_id)?;
    let days = day::between(day::parse(&input.start_date)?, day::parse(&input.end_date)?)?;
    let places: Vec<UsagePlanKey> = find::all(&state.store, &prefix(&plan.scope, &[&plan.id]))?;
    let mut keys: Vec<String> = places.into_iter().map(|place| place.key_id).collect();
    if let Some(id) = input.key_id.filter(|id| !id.is_empty()) {
        keys.retain(|key| *key == id);
        if keys.is_empty() {
            return Err(Error::UnknownUsagePlanKey.into());
        }
    }
    let (keys, position) = page.cut(keys, String::clone);
    let mut items = std::collections::BTreeMap::new();
    for key in keys {
        let records: Vec<Usage> = find::all(&state.store, &prefix(&plan.scope, &[&plan.id, &key]))?;
        items.insert(key, day::usage(&plan, &records, &days));
    }
    Ok(shape::Usage {
        usage_plan_id: plan.id,
        start_date: input.start_date,
        end_date: input.end_date,
        position,
        items,
    })
}
