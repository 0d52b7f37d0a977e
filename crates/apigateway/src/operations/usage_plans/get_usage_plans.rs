use std::sync::Arc;

use pitbird_records::prefix;
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::Items;
use crate::{State, find, shape, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    position: Option<String>,
    key_id: Option<String>,
    limit: Option<i64>,
}

/// Plans, on demand only those that a key is in.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::UsagePlan>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let plans = match input.key_id.filter(|id| !id.is_empty()) {
        Some(id) => {
            find::api_key(&state.store, &caller.scope, &id)?;
            usage_plan::with_key(&caller.scope, &id, &state.store)?
        }
        None => find::all(&state.store, &prefix(&caller.scope, &[]))?,
    };
    let (plans, position) = page.cut(plans, |plan| plan.id.clone());
    Ok(Items { position, items: plans.into_iter().map(shape::UsagePlan::from).collect() })
}
