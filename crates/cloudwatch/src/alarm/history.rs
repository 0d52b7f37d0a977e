//! What has happened to alarms, in CloudWatch's words.

use pitbird_names::Scope;
use pitbird_records::alarm::{Alarm, AlarmEvent, AlarmEventKind, AlarmState};
use pitbird_store::{Store, Transaction};
use serde_json::{Value as Json, json};

use crate::{State, shape};

/// How long history is kept, milliseconds. Source: DescribeAlarmHistory.
pub const HISTORY_MS: i64 = 30 * 86_400_000;
/// Events of one alarm that are kept beyond the next prune; an alarm that changes its mind each minute makes 1440 a day.
const EVENTS_MAX: usize = 1000;
/// Events that one read brings and one write removes.
const BATCH: usize = 1000;

/// Notes that an alarm was made (`before` is `None`) or set anew.
pub fn note_configured(
    tx: &mut Transaction<'_>,
    alarm: &Alarm,
    before: Option<&Alarm>,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    let (verb, data) = match before {
        None => {
            ("created", json!({"version": "1.0", "type": "Create", "createdAlarm": configuration(alarm)}))
        }
        Some(_) => {
            ("updated", json!({"version": "1.0", "type": "Update", "updatedAlarm": configuration(alarm)}))
        }
    };
    configured(tx, alarm, verb, data, now_ms)
}

/// Notes that an alarm is gone.
pub fn note_deleted(
    tx: &mut Transaction<'_>,
    alarm: &Alarm,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    let data = json!({"version": "1.0", "type": "Delete", "deletedAlarm": configuration(alarm)});
    configured(tx, alarm, "deleted", data, now_ms)
}

fn configured(
    tx: &mut Transaction<'_>,
    alarm: &Alarm,
    verb: &str,
    data: Json,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    let summary = format!("Alarm \"{}\" {verb}", alarm.name);
    note(tx, &alarm.scope, &alarm.name, now_ms, AlarmEventKind::ConfigurationUpdate, summary, data)
}

/// Notes that an alarm has come from a state to its present one.
pub fn note_transition(
    tx: &mut Transaction<'_>,
    alarm: &Alarm,
    before: &AlarmState,
) -> Result<(), pitbird_store::Error> {
    let summary = format!("Alarm updated from {} to {}", before.value, alarm.state.value);
    let data = json!({"version": "1.0", "oldState": state(before), "newState": state(&alarm.state)});
    let at_ms = alarm.state.updated_ms;
    note(tx, &alarm.scope, &alarm.name, at_ms, AlarmEventKind::StateUpdate, summary, data)
}

fn note(
    tx: &mut Transaction<'_>,
    scope: &Scope,
    alarm: &str,
    at_ms: i64,
    kind: AlarmEventKind,
    summary: String,
    data: Json,
) -> Result<(), pitbird_store::Error> {
    let before = tx.count::<AlarmEvent>(&AlarmEvent::prefix_at(scope, alarm, at_ms))?;
    let event = AlarmEvent {
        scope: scope.clone(),
        alarm: alarm.to_owned(),
        at_ms,
        number: u32::try_from(before).unwrap_or(u32::MAX),
        kind,
        summary,
        data: data.to_string(),
    };
    tx.put(&event)?;
    Ok(())
}

fn state(state: &AlarmState) -> Json {
    let mut json = json!({"stateValue": state.value, "stateReason": state.reason});
    let data = state.reason_data.as_deref().and_then(|text| serde_json::from_str::<Json>(text).ok());
    if let Some(data) = data {
        json["stateReasonData"] = data;
    }
    json
}

fn configuration(alarm: &Alarm) -> Json {
    let rule = &alarm.rule;
    let dimensions = rule.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value}));
    let (statistic, extended) = shape::statistics(rule);
    let mut json = json!({
        "alarmName": alarm.name,
        "alarmArn": alarm.arn(),
        "alarmDescription": alarm.description,
        "actionsEnabled": alarm.actions_enabled,
        "okactions": [],
        "alarmActions": [],
        "insufficientDataActions": [],
        "stateValue": alarm.state.value,
        "namespace": rule.namespace,
        "metricName": rule.metric,
        "dimensions": dimensions.collect::<Vec<_>>(),
        "statistic": statistic,
        "extendedStatistic": extended,
        "period": rule.period_s,
        "unit": rule.unit,
        "evaluationPeriods": rule.evaluation_periods,
        "datapointsToAlarm": rule.datapoints_to_alarm,
        "threshold": rule.threshold,
        "comparisonOperator": rule.comparison,
        "treatMissingData": rule.treat_missing_data,
        "evaluateLowSampleCountPercentile": rule.low_samples,
    });
    if let Some(members) = json.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    json
}

/// What is asked of the history.
pub struct HistoryQuery {
    /// Of the keys of the events that are looked at.
    pub prefix: String,
    pub kind: Option<AlarmEventKind>,
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
            at_ms,
            number: 0,
            kind: AlarmEventKind::StateUpdate,
            summary: String::new(),
            data: String::new(),
        }
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
