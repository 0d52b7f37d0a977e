use std::sync::Arc;

use pitbird_records::{ApiKey, prefix};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::page::Page;
use crate::shape::Items;
use crate::{State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    position: Option<String>,
    limit: Option<i64>,
    name_query: Option<String>,
    customer_id: Option<String>,
    include_values: Option<bool>,
}

/// Keys, on demand only those whose name begins with a text or that are one customer's.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Items<shape::ApiKey>, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.position.as_deref(), input.limit)?;
    let mut keys: Vec<ApiKey> = find::all(&state.store, &prefix(&caller.scope, &[]))?;
    if let Some(query) = input.name_query.filter(|query| !query.is_empty()) {
        keys.retain(|key| key.name.as_ref().is_some_and(|name| name.starts_with(&query)));
    }
    if let Some(customer) = input.customer_id.filter(|customer| !customer.is_empty()) {
        keys.retain(|key| key.customer_id.as_ref() == Some(&customer));
    }
    let (keys, position) = page.cut(keys, |key| key.id.clone());
    let has_value = input.include_values.unwrap_or_default();
    Ok(Items { position, items: keys.into_iter().map(|key| shape::ApiKey::new(key, has_value)).collect() })
}
