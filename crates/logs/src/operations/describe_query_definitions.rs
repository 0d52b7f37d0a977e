use std::sync::Arc;

use pitbird_records::QueryDefinition;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::start_query::check_language;
use crate::{Error, State, page};

/// Definitions on a page. Source: DescribeQueryDefinitions.
const LIMIT: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    query_language: Option<String>,
    query_definition_name_prefix: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    query_definitions: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    query_language: &'static str,
    query_definition_id: String,
    name: String,
    query_string: String,
    last_modified: i64,
    log_group_names: Vec<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    check_language(input.query_language.as_deref())?;
    let prefix = input.query_definition_name_prefix.unwrap_or_default();
    let found = state
        .store
        .list::<QueryDefinition>(&QueryDefinition::prefix_of(&caller.scope))
        .map_err(Error::from)?;
    let mut found: Vec<QueryDefinition> = found
        .into_iter()
        .map(|found| found.record)
        .filter(|definition| definition.name.starts_with(&prefix))
        .collect();
    found.sort_unstable_by(|left, right| left.id.cmp(&right.id));
    let limit = input.max_results.map_or(LIMIT, |limit| limit as usize);
    let (found, next_token) = page::cut(found, input.next_token.as_deref(), limit, |found| &found.id)?;
    let described = found.into_iter().map(|definition| Described {
        query_language: "CWLI",
        query_definition_id: definition.id,
        name: definition.name,
        query_string: definition.query,
        last_modified: definition.modified_ms,
        log_group_names: definition.groups,
    });
    Ok(Output { query_definitions: described.collect(), next_token })
}
