//! What has happened to alarms, in CloudWatch's words.

use pitbird_names::Scope;
use pitbird_records::alarm::{AlarmDeed, AlarmEvent, AlarmEventKind, AlarmState};
use pitbird_store::{Store, Transaction};
use serde_json::{Value as Json, json};

use super::Kind;
use crate::State;

/// How long history is kept, milliseconds. Source: DescribeAlarmHistory.
pub const HISTORY_MS: i64 = 30 * 86_400_000;
/// Events of one alarm that are kept beyond the next prune; an alarm that changes its mind each minute makes 1440 a day.
const EVENTS_MAX: usize = 1000;
/// Events that one read brings and one write removes.
const BATCH: usize = 1000;

/// Notes that an alarm was made or set anew.
pub fn note_configured<A: Kind>(
    tx: &mut Transaction<'_>,
    alarm: &A,
    is_new: bool,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    if is_new {
        let data = json!({"version": "1.0", "type": "Create", "createdAlarm": configuration(alarm)});
        return configured(tx, alarm, "created", data, now_ms);
    }
    let data = json!({"version": "1.0", "type": "Update", "updatedAlarm": configuration(alarm)});
    configured(tx, alarm, "updated", data, now_ms)
}

/// Notes that an alarm is gone.
pub fn note_deleted<A: Kind>(
    tx: &mut Transaction<'_>,
    alarm: &A,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    let data = json!({"version": "1.0", "type": "Delete", "deletedAlarm": configuration(alarm)});
    configured(tx, alarm, "deleted", data, now_ms)
}

fn configured<A: Kind>(
    tx: &mut Transaction<'_>,
    alarm: &A,
    verb: &str,
    data: Json,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    let head = alarm.head();
    let whose = Whose { scope: &head.scope, alarm: &head.name, alarm_type: A::TYPE };
    let summary = format!("Alarm \"{}\" {verb}", head.name);
    whose.note(tx, now_ms, AlarmEventKind::ConfigurationUpdate, summary, data.to_string())
}

/// Notes that an alarm has come from a state to its present one.
pub fn note_transition<A: Kind>(
    tx: &mut Transaction<'_>,
    alarm: &A,
    before: &AlarmState,
) -> Result<(), pitbird_store::Error> {
    let head = alarm.head();
    let whose = Whose { scope: &head.scope, alarm: &head.name, alarm_type: A::TYPE };
    let summary = format!("Alarm updated from {} to {}", before.value, head.state.value);
    let data = states(before, &head.state).unwrap_or_else(|_| "{}".to_owned());
    whose.note(tx, head.state.updated_ms, AlarmEventKind::StateUpdate, summary, data)
}

/// Notes how an action ended.
pub fn note_deed(
    tx: &mut Transaction<'_>,
    deed: &AlarmDeed,
    ended: &Result<(), String>,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    let whose = Whose { scope: &deed.scope, alarm: &deed.alarm, alarm_type: &deed.alarm_type };
    let mut data = json!({
        "actionState": "Succeeded",
        "stateUpdateTimestamp": deed.at_ms,
        "notificationResource": deed.action,
        "publishedMessage": deed.event,
    });
    let summary = match ended {
        Ok(()) => format!("Successfully executed action {}", deed.action),
        Err(error) => {
            data["actionState"] = json!("Failed");
            data["error"] = json!(error);
            format!("Failed to execute action {}. Received error: \"{error}\"", deed.action)
        }
    };
    whose.note(tx, now_ms, AlarmEventKind::Action, summary, data.to_string())
}

/// The alarm that something has happened to.
struct Whose<'a> {
    scope: &'a Scope,
    alarm: &'a str,
    alarm_type: &'a str,
}

impl Whose<'_> {
    fn note(
        &self,
        tx: &mut Transaction<'_>,
        at_ms: i64,
        kind: AlarmEventKind,
        summary: String,
        data: String,
    ) -> Result<(), pitbird_store::Error> {
        let before = tx.count::<AlarmEvent>(&AlarmEvent::prefix_at(self.scope, self.alarm, at_ms))?;
        let event = AlarmEvent {
            scope: self.scope.clone(),
            alarm: self.alarm.to_owned(),
            alarm_type: self.alarm_type.to_owned(),
            at_ms,
            number: u32::try_from(before).unwrap_or(u32::MAX),
            kind,
            summary,
            data,
        };
        tx.put(&event)?;
        Ok(())
    }
}

/// A change of state as JSON. Thousands may change at once: what is JSON already is copied, not read.
fn states(before: &AlarmState, after: &AlarmState) -> serde_json::Result<String> {
    let mut text = String::from(r#"{"version":"1.0""#);
    for (name, state) in [("oldState", before), ("newState", after)] {
        let (value, reason) = (serde_json::to_string(&state.value)?, serde_json::to_string(&state.reason)?);
        text.extend([",\"", name, r#"":{"stateValue":"#, &value, r#","stateReason":"#, &reason]);
        let is_json = |data: &&str| serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok();
        if let Some(data) = state.reason_data.as_deref().filter(is_json) {
            text.extend([r#","stateReasonData":"#, data]);
        }
        text.push('}');
    }
    text.push('}');
    Ok(text)
}

fn configuration<A: Kind>(alarm: &A) -> Json {
    let head = alarm.head();
    let mut json = json!({
        "alarmName": head.name,
        "alarmArn": head.arn(),
        "alarmDescription": head.description,
        "actionsEnabled": head.actions_enabled,
        "okactions": head.actions.ok,
        "alarmActions": head.actions.alarm,
        "insufficientDataActions": head.actions.insufficient_data,
        "stateValue": head.state.value,
    });
    if let (Json::Object(members), Json::Object(more)) = (&mut json, alarm.configuration()) {
        members.extend(more);
        members.retain(|_, value| !value.is_null());
    }
    json
}

/// What is asked of the history.
pub struct HistoryQuery {
    /// Of the keys of the events that are looked at.
    pub prefix: String,
    pub kind: Option<AlarmEventKind>,
    /// `MetricAlarm`, `CompositeAlarm`; of all when there are none.
    pub alarm_types: Vec<String>,
    /// Both inclusive, milliseconds since 1970.
    pub from_ms: i64,
    pub to_ms: i64,
    pub is_falling: bool,
    /// The place that the page before ended with.
    pub after: Option<String>,
    pub limit: usize,
}

/// An event's place among those of all alarms, which is by time.
pub fn place(event: &AlarmEvent) -> String {
    format!("{:015}/{}", event.at_ms.max(0), pitbird_records::Record::key(event))
}

impl HistoryQuery {
    /// The first events that are asked for, at most one more than the limit. Goes through the whole history and keeps
    /// little of it in memory at any time.
    pub fn run(&self, store: &Store) -> Result<Vec<AlarmEvent>, pitbird_store::Error> {
        let (mut after, mut nearest) = (None::<String>, Vec::new());
        loop {
            let page = store.page::<AlarmEvent>(&self.prefix, after.as_deref(), BATCH)?;
            let is_last = page.len() < BATCH;
            after = page.last().map(|found| pitbird_records::Record::key(&found.record));
            nearest.extend(page.into_iter().map(|found| found.record).filter(|event| self.takes(event)));
            nearest.sort_by_cached_key(place);
            if self.is_falling {
                nearest.reverse();
            }
            nearest.truncate(self.limit + 1);
            if is_last {
                return Ok(nearest);
            }
        }
    }

    fn takes(&self, event: &AlarmEvent) -> bool {
        let is_beyond = |after: &String| match self.is_falling {
            true => place(event) < *after,
            false => place(event) > *after,
        };
        self.kind.is_none_or(|kind| kind == event.kind)
            && (self.alarm_types.is_empty() || self.alarm_types.contains(&event.alarm_type))
            && (self.from_ms..=self.to_ms).contains(&event.at_ms)
            && self.after.as_ref().is_none_or(is_beyond)
    }
}

/// Removes what is older than the history is kept, and of alarms with too much history the oldest.
pub async fn prune(state: &State, now_ms: i64) -> Result<(), pitbird_store::Error> {
    let (mut after, mut run) = (None::<String>, Run::default());
    loop {
        let page = state.read(move |store| store.page::<AlarmEvent>("", after.as_deref(), BATCH)).await?;
        let is_last = page.len() < BATCH;
        page.into_iter().for_each(|found| run.take(found.record, now_ms));
        after = run.last.clone();
        let keys = run.doomed(is_last);
        if !keys.is_empty() {
            let remove = move |tx: &mut Transaction<'_>| {
                keys.iter().try_for_each(|key| tx.delete::<AlarmEvent>(key).map(drop))
            };
            state.store.write::<(), pitbird_store::Error>(remove).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Goes through all events in the order of their keys, which is by alarm and then by time.
#[derive(Default)]
struct Run {
    owner: Option<(Scope, String)>,
    /// The owner's events that aren't too old.
    kept: Vec<String>,
    doomed: Vec<String>,
    last: Option<String>,
}

impl Run {
    fn take(&mut self, event: AlarmEvent, now_ms: i64) {
        let key = pitbird_records::Record::key(&event);
        let owner = Some((event.scope, event.alarm));
        if self.owner != owner {
            self.close();
            self.owner = owner;
        }
        self.last = Some(key.clone());
        if event.at_ms < now_ms - HISTORY_MS { self.doomed.push(key) } else { self.kept.push(key) }
    }

    /// The owner has no further events.
    fn close(&mut self) {
        let surplus = self.kept.len().saturating_sub(EVENTS_MAX);
        self.doomed.extend(self.kept.drain(..).take(surplus));
    }

    fn doomed(&mut self, is_last: bool) -> Vec<String> {
        if is_last {
            self.close();
        }
        std::mem::take(&mut self.doomed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(alarm: &str, at_ms: i64) -> AlarmEvent {
        AlarmEvent {
            scope: Scope::default(),
            alarm: alarm.to_owned(),
            alarm_type: "MetricAlarm".to_owned(),
            at_ms,
            number: 0,
            kind: AlarmEventKind::StateUpdate,
            summary: String::new(),
            data: String::new(),
        }
    }

    #[test]
    fn a_change_of_state_is_json_whatever_it_is_made_of() {
        let state = |reason: &str, data: Option<&str>| AlarmState {
            value: "OK".to_owned(),
            reason: reason.to_owned(),
            reason_data: data.map(str::to_owned),
            updated_ms: 0,
            transitioned_ms: 0,
        };
        let (quoted, damaged) = (state("a \"b\"\n", Some(r#" {"c": [1.0]} "#)), state("", Some("{")));
        let told: Json = serde_json::from_str(&states(&quoted, &damaged).expect("texts")).expect("JSON");
        let old = json!({"stateValue": "OK", "stateReason": "a \"b\"\n", "stateReasonData": {"c": [1.0]}});
        let new = json!({"stateValue": "OK", "stateReason": ""});
        assert_eq!(told, json!({"version": "1.0", "oldState": old, "newState": new}));
    }

    #[test]
    fn old_and_surplus_events_go() {
        let now_ms = HISTORY_MS + 1_000_000;
        let mut run = Run::default();
        run.take(event("a", 999_999), now_ms);
        run.take(event("a", 1_000_000), now_ms);
        for number in 0..EVENTS_MAX as i64 + 2 {
            run.take(event("b", 2_000_000 + number), now_ms);
        }
        let doomed = run.doomed(true);
        let key = |alarm, at_ms| AlarmEvent::key_of(&Scope::default(), alarm, at_ms, 0);
        assert_eq!(doomed, [key("a", 999_999), key("b", 2_000_000), key("b", 2_000_001)]);
    }
}
