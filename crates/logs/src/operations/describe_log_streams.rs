use std::sync::Arc;

use pitbird_names::arn;
use pitbird_service::{Call, Fault};
use pitbird_telemetry::logs::{StreamOrder, StreamQuery};
use serde::{Deserialize, Serialize};

use crate::{Error, State, group, identifier};

/// Streams on a page. Source: DescribeLogStreams.
const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    log_streams: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    log_stream_name: String,
    creation_time: i64,
    first_event_timestamp: Option<i64>,
    last_event_timestamp: Option<i64>,
    last_ingestion_time: Option<i64>,
    arn: String,
    /// Always 0 since 2019. Source: DescribeLogStreams.
    stored_bytes: u64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let name = identifier::one_of(input.log_group_name, input.log_group_identifier, &caller.scope)?;
    let order = match input.order_by.as_deref() {
        Some("LastEventTime") => StreamOrder::LastEvent,
        _ => StreamOrder::Name,
    };
    if order == StreamOrder::LastEvent && input.log_stream_name_prefix.is_some() {
        return Err(Error::OrderWithPrefix.into());
    }
    group::kept(&state, &caller.scope, &name).await?;
    let arn = arn::log_group(&caller.scope, &name);
    let query = StreamQuery {
        scope: caller.scope,
        group: name,
        prefix: input.log_stream_name_prefix,
        order,
        descending: input.descending.unwrap_or(false),
        limit: input.limit.map_or(LIMIT, |limit| limit as usize),
        token: input.next_token,
    };
    let page = state.telemetry.streams(query).await.map_err(Error::from)?;
    let describe = |stream: pitbird_telemetry::logs::StreamSummary| Described {
        arn: format!("{arn}:log-stream:{}", stream.name),
        log_stream_name: stream.name,
        creation_time: stream.created_ms,
        first_event_timestamp: stream.first_event_ms,
        last_event_timestamp: stream.last_event_ms,
        last_ingestion_time: stream.last_ingestion_ms,
        stored_bytes: 0,
    };
    Ok(Output { log_streams: page.streams.into_iter().map(describe).collect(), next_token: page.token })
}
