use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::start_query::check_language;
use crate::{Error, State};

/// Queries on a page. Source: DescribeQueries.
const LIMIT: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: Option<String>,
    status: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
    query_language: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    queries: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    query_language: &'static str,
    query_id: String,
    query_string: String,
    status: &'static str,
    create_time: i64,
    /// The group of a query of one; none for several.
    log_group_name: Option<String>,
    query_duration: Option<i64>,
    bytes_scanned: f64,
    user_identity: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    check_language(input.query_language.as_deref())?;
    let is_wanted = |entry: &crate::queries::Entry| {
        input.log_group_name.as_ref().is_none_or(|name| entry.groups.contains(name))
            && input.status.as_ref().is_none_or(|status| entry.status.as_str() == status)
    };
    let mut entries = state.queries.list(&caller.scope, now_ms);
    if let Some(token) = &input.next_token {
        // The page before ended with this one.
        let place = entries.iter().position(|entry| entry.id == *token).ok_or(Error::Token)?;
        entries.drain(..=place);
    }
    entries.retain(is_wanted);
    let limit = input.max_results.map_or(LIMIT, |limit| limit as usize);
    let is_last = entries.len() <= limit;
    entries.truncate(limit);
    let next_token = entries.last().filter(|_| !is_last).map(|entry| entry.id.clone());
    let described = entries.into_iter().map(|entry| Described {
        query_language: "CWLI",
        query_id: entry.id,
        query_string: entry.text,
        status: entry.status.as_str(),
        create_time: entry.created_ms,
        log_group_name: Some(entry.groups).filter(|groups| groups.len() == 1).and_then(|mut one| one.pop()),
        query_duration: entry.duration_ms,
        bytes_scanned: entry.progress.scanned_bytes() as f64,
        user_identity: entry.principal,
    });
    Ok(Output { queries: described.collect(), next_token })
}
