use std::sync::Arc;

use pitbird_records::{ApiKey, UsagePlanKey, key, prefix};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::find::Records;
use crate::page::Page;
use crate::shape::Items;
use crate::{Error, State, find, shape, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    usage_plan_id: String,
    position: Option<String>,
    limit: Option<i64>,
    name_query: Option<String>,
}

/// A plan's keys, on demand only those whose name begins with a text.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::UsagePlanKey>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let plan = usage_plan::plan(&state.store, &caller.scope, &input.usage_plan_id)?;
    let places: Vec<UsagePlanKey> = find::all(&state.store, &prefix(&plan.scope, &[&plan.id]))?;
    let mut keys = Vec::new();
    for place in places {
        keys.extend(
            Records::get::<ApiKey>(&state.store, &key(&plan.scope, &[&place.key_id])).map_err(Error::from)?,
        );
    }
    if let Some(query) = input.name_query.filter(|query| !query.is_empty()) {
        keys.retain(|key| key.name.as_ref().is_some_and(|name| name.starts_with(&query)));
    }
    let (keys, position) = page.cut(keys, |key| key.id.clone());
    Ok(Items { position, items: keys.into_iter().map(shape::UsagePlanKey::from).collect() })
}
