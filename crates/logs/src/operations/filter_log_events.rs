use std::sync::Arc;

use pitbird_service::{Call, Fault, Harmless};
use pitbird_telemetry::logs::{EVENTS_PER_PAGE, FilterQuery, Pattern, StreamChoice};
use serde::{Deserialize, Serialize};

use crate::{Error, State, group, identifier};

/// Answers have been interleaved whatever is asked since 2019 (source: FilterLogEvents), and nothing is ever masked.
pub const HARMLESS: Harmless = &["interleaved", "unmask"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    events: Vec<Event>,
    /// Always empty since 2019. Source: FilterLogEvents.
    searched_log_streams: [(); 0],
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    log_stream_name: Arc<str>,
    timestamp: i64,
    message: String,
    ingestion_time: i64,
    event_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let name = identifier::one_of(input.log_group_name, input.log_group_identifier, &caller.scope)?;
    let streams = match (input.log_stream_names, input.log_stream_name_prefix) {
        (Some(_), Some(_)) => return Err(Error::PrefixAndNames.into()),
        (Some(names), None) => StreamChoice::Named(names),
        (None, Some(prefix)) => StreamChoice::Prefix(prefix),
        (None, None) => StreamChoice::All,
    };
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or("")).map_err(Error::from)?;
    group::kept(&state, &caller.scope, &name).await?;
    let query = FilterQuery {
        scope: caller.scope,
        group: name,
        streams,
        start_ms: input.start_time,
        // An event at the very end is still in.
        end_ms: input.end_time.map(|end_ms| end_ms.saturating_add(1)),
        pattern,
        limit: input.limit.map_or(EVENTS_PER_PAGE, |limit| limit as usize),
        token: input.next_token,
    };
    let page = state.telemetry.filter(query).await.map_err(Error::from)?;
    let events = page.events.into_iter().map(|event| Event {
        log_stream_name: event.stream,
        timestamp: event.at_ms,
        message: event.message,
        ingestion_time: event.ingested_ms,
        event_id: event.id.to_string(),
    });
    Ok(Output { events: events.collect(), searched_log_streams: [], next_token: page.token })
}
