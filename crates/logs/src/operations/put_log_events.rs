use std::sync::Arc;

use pitbird_service::{Call, Fault, Harmless};
use pitbird_telemetry::logs::NewEvent;
use serde::{Deserialize, Serialize};

use crate::{Error, State, group, put};

/// The sequence token has had no effect since 2023 (source: PutLogEvents); the entity is for the console's eyes alone.
pub const HARMLESS: Harmless = &["sequenceToken", "entity"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Event {
    timestamp: i64,
    message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    next_sequence_token: String,
    rejected_log_events_info: Option<Rejected>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rejected {
    too_new_log_event_start_index: Option<usize>,
    too_old_log_event_end_index: Option<usize>,
    expired_log_event_end_index: Option<usize>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let kept = group::kept(&state, &caller.scope, &input.log_group_name).await?;
    let sizes: Vec<(i64, usize)> =
        input.log_events.iter().map(|event| (event.timestamp, event.message.len())).collect();
    let taken = put::judge(&sizes, kept.and_then(|group| group.retention_days), now_ms)?;
    let events: Vec<NewEvent> = input
        .log_events
        .into_iter()
        .skip(taken.range.start)
        .take(taken.range.len())
        .map(|event| NewEvent { at_ms: event.timestamp, message: event.message })
        .collect();
    // Also when no event is left: the stream must exist.
    let filed =
        state.telemetry.append(&caller.scope, &input.log_group_name, &input.log_stream_name, &events).await;
    filed.map_err(Error::from)?;
    let rejected_log_events_info = taken.has_rejected().then_some(Rejected {
        too_new_log_event_start_index: taken.too_new_start,
        too_old_log_event_end_index: taken.too_old_end,
        expired_log_event_end_index: taken.expired_end,
    });
    // Nobody reads the token; old clients only want to hand one back.
    Ok(Output { next_sequence_token: format!("{now_ms:056}"), rejected_log_events_info })
}
