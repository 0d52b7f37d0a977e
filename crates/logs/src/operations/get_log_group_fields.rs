use std::collections::HashMap;
use std::sync::Arc;

use pitbird_insights::{Event, json_fields, system_fields};
use pitbird_service::{Call, Fault};
use pitbird_telemetry::logs::{Flow, ScanProgress, ScanQuery, ScannedEvent, StreamChoice, Visit};
use serde::{Deserialize, Serialize};

use crate::{Error, State, group, identifier};

/// How far around a time events are looked at, milliseconds; without a time it is the last quarter of an hour. Source:
/// GetLogGroupFields.
const AROUND_MS: i64 = 8 * 60_000;
const LATEST_MS: i64 = 15 * 60_000;
/// Events that one thread looks at.
const EVENTS_MAX: u64 = 10_000;
/// Fields that one thread tells apart, and that are answered.
const FIELDS_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    /// Seconds since 1970.
    time: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    log_group_fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    percent: u64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let name = identifier::one_of(input.log_group_name, input.log_group_identifier, &caller.scope)?;
    group::kept(&state, &caller.scope, &name).await?;
    let (start_ms, end_ms) = match input.time {
        Some(time) => {
            let middle_ms = time.saturating_mul(1000);
            (middle_ms.saturating_sub(AROUND_MS), middle_ms.saturating_add(AROUND_MS))
        }
        None => (now_ms - LATEST_MS, now_ms.saturating_add(1)),
    };
    let log = format!("{}:{name}", caller.scope.account);
    let scan = ScanQuery {
        scope: caller.scope,
        groups: vec![name],
        streams: StreamChoice::All,
        start_ms: Some(start_ms),
        end_ms: Some(end_ms),
        needles: Vec::new(),
        latest_first: true,
    };
    let make = move || Seen { log: log.clone(), events: 0, fields: HashMap::new() };
    let parts = state.telemetry.scan(scan, Arc::new(ScanProgress::default()), make).await;
    Ok(Output { log_group_fields: joined(parts.map_err(Error::from)?) })
}

/// The most frequent fields first.
fn joined(parts: Vec<Seen>) -> Vec<Field> {
    let events: u64 = parts.iter().map(|part| part.events).sum();
    let mut counts: HashMap<String, u64> = HashMap::new();
    for (name, count) in parts.into_iter().flat_map(|part| part.fields) {
        *counts.entry(name).or_default() += count;
    }
    let percent = |count: u64| (count * 100).div_ceil(events.max(1));
    let fields = counts.into_iter().map(|(name, count)| Field { name, percent: percent(count) });
    let mut fields: Vec<Field> = fields.collect();
    fields.sort_unstable_by(|left, right| {
        right.percent.cmp(&left.percent).then_with(|| left.name.cmp(&right.name))
    });
    fields.truncate(FIELDS_MAX);
    fields
}

/// What one thread has seen.
struct Seen {
    log: String,
    events: u64,
    fields: HashMap<String, u64>,
}

impl Visit for Seen {
    fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
        let event = Event {
            log: &self.log,
            stream: event.stream,
            at_ms: event.at_ms,
            ingested_ms: event.ingested_ms,
            id: event.id.into(),
            pointer: &event.pointer,
            message: event.message,
        };
        self.events += 1;
        let own = system_fields(&event).into_iter().map(|(name, _)| name.to_owned());
        let names =
            own.filter(|name| name != "@ptr").chain(json_fields(&event).into_iter().map(|(name, _)| name));
        for name in names {
            if self.fields.len() < FIELDS_MAX || self.fields.contains_key(&name) {
                *self.fields.entry(name).or_default() += 1;
            }
        }
        if self.events < EVENTS_MAX { Flow::Next } else { Flow::Stop }
    }
}
