use std::sync::Arc;

use pitbird_records::QueryDefinition;
use pitbird_service::{Call, Fault, Harmless};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use super::start_query::check_language;
use crate::{Error, State};

/// A call that comes twice makes two definitions at worst, which have different ids.
pub const HARMLESS: Harmless = &["clientToken"];

/// Definitions of an account. Source: AWS, CloudWatch Logs quotas.
const DEFINITIONS_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    query_language: Option<String>,
    name: String,
    query_definition_id: Option<String>,
    log_group_names: Option<Vec<String>>,
    query_string: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    query_definition_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    check_language(input.query_language.as_deref())?;
    let is_update = input.query_definition_id.is_some();
    let id = input.query_definition_id.unwrap_or_else(|| pitbird_names::uuid((state.entropy)()));
    let count = state
        .store
        .list::<QueryDefinition>(&QueryDefinition::prefix_of(&caller.scope))
        .map_err(Error::from)?;
    if !is_update && count.len() >= DEFINITIONS_MAX {
        return Err(Error::TooManyDefinitions { limit: DEFINITIONS_MAX }.into());
    }
    let definition = QueryDefinition {
        scope: caller.scope,
        id: id.clone(),
        name: input.name,
        query: input.query_string,
        groups: input.log_group_names.unwrap_or_default(),
        modified_ms: now_ms,
    };
    let put = move |tx: &mut Transaction<'_>| {
        let key = QueryDefinition::key_of(&definition.scope, &definition.id);
        if is_update && !tx.exists::<QueryDefinition>(&key)? {
            return Err(Error::NoDefinition);
        }
        tx.put(&definition)?;
        Ok(())
    };
    state.store.write(put).await?;
    Ok(Output { query_definition_id: id })
}
