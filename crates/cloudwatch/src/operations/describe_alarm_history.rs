use std::sync::Arc;

use pitbird_records::alarm::{AlarmEvent, AlarmEventKind};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::alarm::HistoryQuery;
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
    alarm_type: String,
    timestamp: f64,
    history_item_type: &'static str,
    history_summary: String,
    history_data: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let types = input.alarm_types.unwrap_or_default();
    let kind = input.history_item_type.as_deref().map(kind);
    if kind == Some(None) {
        return Ok(Output { alarm_history_items: Vec::new(), next_token: None });
    }
    let limit = input.max_records.map_or(LIMIT, |limit| limit as usize);
    let query = HistoryQuery {
        prefix: match &input.alarm_name {
            Some(name) => AlarmEvent::prefix_of(&caller.scope, name),
            None => pitbird_records::prefix(&caller.scope, &[]),
        },
        kind: kind.flatten(),
        alarm_types: types,
        from_ms: input.start_date.map_or(i64::MIN, milliseconds).max(now_ms - alarm::HISTORY_MS),
        to_ms: input.end_date.map_or(i64::MAX, milliseconds),
        is_falling: input.scan_by.as_deref() != Some("TimestampAscending"),
        after: input.next_token.as_deref().map(page::decode).transpose()?,
        limit,
    };
    let mut events = state.read(move |store| query.run(store)).await.map_err(Error::from)?;
    let is_last = events.len() <= limit;
    events.truncate(limit);
    let next_token = events.last().filter(|_| !is_last).map(|last| page::encode(&alarm::place(last)));
    Ok(Output { alarm_history_items: events.into_iter().map(Item::from).collect(), next_token })
}

/// The kind of event that a word names; `None` for those that never happen here.
fn kind(word: &str) -> Option<AlarmEventKind> {
    match word {
        "ConfigurationUpdate" => Some(AlarmEventKind::ConfigurationUpdate),
        "StateUpdate" => Some(AlarmEventKind::StateUpdate),
        "Action" => Some(AlarmEventKind::Action),
        _ => None,
    }
}

fn word(kind: AlarmEventKind) -> &'static str {
    match kind {
        AlarmEventKind::ConfigurationUpdate => "ConfigurationUpdate",
        AlarmEventKind::StateUpdate => "StateUpdate",
        AlarmEventKind::Action => "Action",
    }
}

impl From<AlarmEvent> for Item {
    fn from(event: AlarmEvent) -> Item {
        Item {
            alarm_name: event.alarm,
            alarm_type: event.alarm_type,
            timestamp: seconds(event.at_ms),
            history_item_type: word(event.kind),
            history_summary: event.summary,
            history_data: event.data,
        }
    }
}
