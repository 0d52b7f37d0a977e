use std::sync::Arc;

use pitbird_names::Month;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::limit;
use crate::group::{GroupBy, Row, grouped};
use crate::owners::Owners;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    /// `2026-11`, in UTC; without it this month.
    month: Option<String>,
    group_by: Option<GroupBy>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    month: String,
    items: Vec<Row>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let month = match &input.month {
        Some(text) => Month::parse(text).ok_or_else(|| Error::Month(text.clone()))?,
        None => Month::of(now_ms),
    };
    let limit = limit(input.max_results)?;
    let used = state.telemetry.usage(&caller.scope, month).await.map_err(Error::from)?;
    let owners = Owners::read(&state.store, &caller.scope)?;
    let mut items = grouped(used, input.group_by, &owners);
    if let Some(token) = &input.next_token {
        items.retain(|item| item.key() > *token);
    }
    let is_last = items.len() <= limit;
    items.truncate(limit);
    let next_token = items.last().filter(|_| !is_last).map(Row::key);
    Ok(Output { month: month.to_string(), items, next_token })
}
