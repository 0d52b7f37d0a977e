use std::sync::Arc;

use pitbird_records::alarm::{AlarmEvent, AlarmEventKind};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::{milliseconds, seconds};
use crate::{Error, State, alarm, page};

/// Items on a page. Source: DescribeAlarmHistory.
const LIMIT: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_name: Option<String>,
    alarm_types: Option<Vec<String>>,
    history_item_type: Option<String>,
    start_date: Option<f64>,
    end_date: Option<f64>,
    max_records: Option<u32>,
    next_token: Option<String>,
    scan_by: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    alarm_history_items: Vec<Item>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    alarm_name: String,
    alarm_type: &'static str,
    timestamp: f64,
    history_item_type: &'static str,
    history_summary: String,
    history_data: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let prefix = match &input.alarm_name {
        Some(name) => AlarmEvent::prefix_of(&caller.scope, name),
        None => pitbird_records::prefix(&caller.scope, &[]),
    };
    let found = state.store.list::<AlarmEvent>(&prefix).map_err(Error::from)?;
    let from_ms = input.start_date.map_or(i64::MIN, milliseconds).max(now_ms - alarm::HISTORY_MS);
    let to_ms = input.end_date.map_or(i64::MAX, milliseconds);
    let mut events: Vec<AlarmEvent> = found
        .into_iter()
        .map(|found| found.record)
        .filter(|event| (from_ms..=to_ms).contains(&event.at_ms) && input.takes(event))
        .collect();
    let is_falling = input.scan_by.as_deref() != Some("TimestampAscending");
    events.sort_by_cached_key(place);
    if is_falling {
        events.reverse();
    }
    let limit = input.max_records.map_or(LIMIT, |limit| limit as usize);
    let (events, next_token) = page::cut(events, input.next_token.as_deref(), limit, is_falling, place)?;
    Ok(Output { alarm_history_items: events.into_iter().map(Item::from).collect(), next_token })
}

/// An event's place among those of all alarms.
fn place(event: &AlarmEvent) -> String {
    format!("{:015}/{}", event.at_ms.max(0), pitbird_records::Record::key(event))
}

impl Input {
    fn takes(&self, event: &AlarmEvent) -> bool {
        let types = self.alarm_types.as_ref();
        let is_type =
            types.is_none_or(|types| types.is_empty() || types.iter().any(|one| one == "MetricAlarm"));
        is_type && self.history_item_type.as_ref().is_none_or(|kind| kind == word(event.kind))
    }
}

fn word(kind: AlarmEventKind) -> &'static str {
    match kind {
        AlarmEventKind::ConfigurationUpdate => "ConfigurationUpdate",
        AlarmEventKind::StateUpdate => "StateUpdate",
    }
}

impl From<AlarmEvent> for Item {
    fn from(event: AlarmEvent) -> Item {
        Item {
            alarm_name: event.alarm,
            alarm_type: "MetricAlarm",
            timestamp: seconds(event.at_ms),
            history_item_type: word(event.kind),
            history_summary: event.summary,
            history_data: event.data,
        }
    }
}
