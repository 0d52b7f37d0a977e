use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_insights::Event;
use pitbird_service::{Call, Fault, Harmless};
use pitbird_telemetry::logs::EventPointer;
use serde::{Deserialize, Serialize};

use crate::{Error, State};

/// Nothing is ever masked.
pub const HARMLESS: Harmless = &["unmask"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_record_pointer: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    log_record: BTreeMap<String, String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let pointer = EventPointer::parse(&input.log_record_pointer).ok_or(Error::RecordPointer)?;
    let found = state.telemetry.record(&caller.scope, pointer).await.map_err(Error::from)?;
    let found = found.ok_or(Error::NoRecord)?;
    let log = format!("{}:{}", caller.scope.account, found.group);
    let event = Event {
        log: &log,
        stream: &found.stream,
        at_ms: found.event.at_ms,
        ingested_ms: found.event.ingested_ms,
        id: found.event.id.into(),
        pointer: &pointer,
        message: &found.event.message,
    };
    let mut record: BTreeMap<String, String> = pitbird_insights::json_fields(&event).into_iter().collect();
    record.extend(
        pitbird_insights::system_fields(&event).into_iter().map(|(name, value)| (name.to_owned(), value)),
    );
    Ok(Output { log_record: record })
}
