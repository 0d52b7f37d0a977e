use std::sync::Arc;

use pitbird_service::{Call, Fault, Harmless};
use pitbird_telemetry::logs::{EVENTS_PER_PAGE, GetQuery, ReadFrom};
use serde::{Deserialize, Serialize};

use crate::{Error, State, group, identifier};

/// Nothing is ever masked.
pub const HARMLESS: Harmless = &["unmask"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<u32>,
    start_from_head: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    events: Vec<Event>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    timestamp: i64,
    message: String,
    ingestion_time: i64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let name = identifier::one_of(input.log_group_name, input.log_group_identifier, &caller.scope)?;
    group::kept(&state, &caller.scope, &name).await?;
    let query = GetQuery {
        scope: caller.scope,
        group: name,
        stream: input.log_stream_name,
        start_ms: input.start_time,
        end_ms: input.end_time,
        limit: input.limit.map_or(EVENTS_PER_PAGE, |limit| limit as usize),
        from: match (input.next_token, input.start_from_head) {
            (Some(token), _) => ReadFrom::Token(token),
            (None, Some(true)) => ReadFrom::Head,
            (None, _) => ReadFrom::Tail,
        },
    };
    let page = state.telemetry.events(query).await.map_err(Error::from)?;
    let events = page.events.into_iter().map(|event| Event {
        timestamp: event.at_ms,
        message: event.message,
        ingestion_time: event.ingested_ms,
    });
    Ok(Output {
        events: events.collect(),
        next_forward_token: page.forward_token,
        next_backward_token: page.backward_token,
    })
}
