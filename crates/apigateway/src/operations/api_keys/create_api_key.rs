use std::sync::Arc;

use pitbird_records::{ApiKey, Texts, prefix};
use pitbird_service::{Call, Fault, Harmless};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::api_key::{self, KEYS_MAX};
use crate::find::Records;
use crate::{Error, State, find, shape, tags};

/// A key's id is never its value, whatever is asked for; so it is with AWS since values are secret.
pub const HARMLESS: Harmless = &["generateDistinctId"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    name: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    value: Option<String>,
    stage_keys: Option<Vec<StageKey>>,
    customer_id: Option<String>,
    tags: Option<Texts>,
}

/// From before there were usage plans.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "no such list may have items")]
struct StageKey {
    rest_api_id: Option<String>,
    stage_name: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ApiKey, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if input.stage_keys.is_some_and(|keys| !keys.is_empty()) {
        return Err(Error::unsupported("stageKeys").into());
    }
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let others: Vec<ApiKey> = Records::list(tx, &prefix(&caller.scope, &[]))?;
        if others.len() >= KEYS_MAX {
            return Err(Error::TooMany { what: "API keys for this account", limit: KEYS_MAX });
        }
        let id = find::unused_id::<ApiKey>(tx, &caller.scope, &[], 10, entropy)?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut key = api_key::fresh(&caller.scope, id, entropy, now_ms);
        if let Some(value) = given(input.value) {
            api_key::check_value(&value, &others)?;
            key.value = value;
        }
        key.name = given(input.name);
        key.description = given(input.description);
        key.customer_id = given(input.customer_id);
        key.enabled = input.enabled.unwrap_or_default();
        key.tags = input.tags.unwrap_or_default();
        tags::check(&key.tags)?;
        tx.put(&key)?;
        Ok(key)
    };
    Ok(shape::ApiKey::new(state.store.write(create).await?, true))
}
