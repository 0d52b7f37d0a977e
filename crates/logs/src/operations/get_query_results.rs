use std::sync::Arc;

use pitbird_insights::Answer;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    query_id: String,
    next_token: Option<String>,
    max_items: Option<u32>,
}

/// A query that runs has no rows yet; its statistics grow.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    query_language: &'static str,
    results: Vec<Vec<Field>>,
    statistics: Statistics,
    status: &'static str,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
struct Field {
    field: String,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    records_matched: f64,
    records_scanned: f64,
    estimated_records_skipped: f64,
    bytes_scanned: f64,
    estimated_bytes_skipped: f64,
    log_groups_scanned: f64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let entry = state.queries.find(&caller.scope, &input.query_id, now_ms)?;
    let from = match &input.next_token {
        Some(token) => token.parse::<usize>().map_err(|_| Error::Token)?,
        None => 0,
    };
    let count = input.max_items.filter(|count| *count > 0).map_or(usize::MAX, |count| count as usize);
    let all = entry.answer.as_ref().map_or(0, |answer| answer.rows.len());
    if from > all {
        return Err(Error::Token.into());
    }
    let to = from.saturating_add(count).min(all);
    Ok(Output {
        query_language: "CWLI",
        results: entry.answer.map_or_else(Vec::new, |answer| rows(&answer, from, to)),
        statistics: Statistics {
            records_matched: entry.matched as f64,
            records_scanned: entry.progress.scanned_events() as f64,
            estimated_records_skipped: 0.0,
            bytes_scanned: entry.progress.scanned_bytes() as f64,
            estimated_bytes_skipped: 0.0,
            log_groups_scanned: entry.groups.len() as f64,
        },
        status: entry.status.as_str(),
        next_token: (to < all).then(|| to.to_string()),
    })
}

/// Rows with the fields that they have, and `@ptr` for those that are an event's.
fn rows(answer: &Answer, from: usize, to: usize) -> Vec<Vec<Field>> {
    let shows_pointer = answer.names.iter().any(|name| name == "@ptr");
    let row = |row: &pitbird_insights::Row| {
        let fields = answer.names.iter().zip(&row.values);
        let mut fields: Vec<Field> = fields
            .filter_map(|(name, value)| Some(Field { field: name.clone(), value: value.clone()? }))
            .collect();
        if let Some(pointer) = row.pointer.clone().filter(|_| !shows_pointer) {
            fields.push(Field { field: "@ptr".to_owned(), value: pointer });
        }
        fields
    };
    answer.rows[from..to].iter().map(row).collect()
}
