//! Alarms: what they watch, the state they are in, what they set going, and what has happened to them.
//!
//! Texts that AWS has an enum for are AWS's words; who reads them turns them into types.

use std::fmt::Write;

use pitbird_names::{Scope, arn};
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// An alarm on a metric, or on several by metric math.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    #[serde(flatten)]
    pub head: AlarmHead,
    pub rule: AlarmRule,
}

/// An alarm on other alarms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompositeAlarm {
    #[serde(flatten)]
    pub head: AlarmHead,
    /// `ALARM(a) AND NOT OK("b")`.
    pub rule: String,
    pub suppressor: Option<Suppressor>,
    /// Set while actions are held back.
    pub suppression: Option<Suppression>,
}

/// What all alarms have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmHead {
    pub scope: Scope,
    /// No two alarms of a scope have the same, whatever they watch.
    pub name: String,
    pub description: Option<String>,
    pub actions_enabled: bool,
    #[serde(default)]
    pub actions: AlarmActions,
    /// When the alarm was made or its rule last changed.
    pub configured_ms: i64,
    pub state: AlarmState,
    pub tags: Texts,
}

/// What a change to each state sets going: ARNs of functions, or URLs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmActions {
    pub ok: Vec<String>,
    pub alarm: Vec<String>,
    pub insufficient_data: Vec<String>,
}

/// The alarm that holds a composite alarm's actions back while it is in ALARM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressor {
    /// Name or ARN, as it was given.
    pub alarm: String,
    /// How long to wait for it to go into ALARM.
    pub wait_s: u32,
    /// How long to go on when it has left ALARM.
    pub extension_s: u32,
}

/// Why actions are held back, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// `WaitPeriod`, `Alarm` or `ExtensionPeriod`.
    pub by: String,
    /// `None` as long as the suppressor is in ALARM.
    pub until_ms: Option<i64>,
}

/// A threshold: a number, or what is expected of the metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmRule {
    #[serde(flatten)]
    pub watched: Watched,
    pub evaluation_periods: u32,
    pub datapoints_to_alarm: Option<u32>,
    /// A static one.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// The id of the query that gives a band of expected values instead.
    #[serde(default)]
    pub threshold_metric: Option<String>,
    pub comparison: String,
    pub treat_missing_data: Option<String>,
    pub low_samples: Option<String>,
}

/// What an alarm watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Watched {
    Metric(MetricStatistic),
    /// Metric math; one of the queries returns data, and beside it the band where that is the threshold.
    Queries {
        queries: Vec<AlarmQuery>,
    },
}

/// One statistic of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricStatistic {
    pub namespace: String,
    pub metric: String,
    /// Names and values, in the order in which they were given.
    pub dimensions: Vec<(String, String)>,
    /// `Average`, …, or a percentile such as `p99.9`.
    pub statistic: String,
    pub unit: Option<String>,
    pub period_s: u32,
}

/// A metric's statistic, or an expression over other queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmQuery {
    pub id: String,
    pub statistic: Option<MetricStatistic>,
    pub expression: Option<String>,
    pub label: Option<String>,
    pub return_data: Option<bool>,
    /// Of an expression.
    pub period_s: Option<u32>,
    pub account: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmState {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub value: String,
    pub reason: String,
    /// JSON.
    pub reason_data: Option<String>,
    /// When the value last changed, or whether actions are suppressed.
    pub updated_ms: i64,
    /// When the value last changed.
    pub transitioned_ms: i64,
}

impl Alarm {
    /// The key of an alarm by its name.
    pub fn key_of(scope: &Scope, name: &str) -> String {
        crate::key(scope, &[name])
    }

    /// The prefix of the keys of a scope's alarms.
    pub fn prefix_of(scope: &Scope) -> String {
        crate::prefix(scope, &[])
    }
}

impl AlarmHead {
    /// `arn:aws:cloudwatch:{region}:{account}:alarm:{name}`.
    pub fn arn(&self) -> String {
        arn::alarm(&self.scope, &self.name)
    }
}

impl Record for Alarm {
    const TABLE: &'static str = "alarm";
    // A threshold that is no number is written as none at all.
    const IS_ALWAYS_READABLE: bool = true;

    fn key(&self) -> String {
        Alarm::key_of(&self.head.scope, &self.head.name)
    }
}

impl Record for CompositeAlarm {
    const TABLE: &'static str = "composite_alarm";
    fn key(&self) -> String {
        Alarm::key_of(&self.head.scope, &self.head.name)
    }
}

/// An action that is to be carried out: written together with the change of state, removed when it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmDeed {
    pub scope: Scope,
    pub alarm: String,
    /// `MetricAlarm` or `CompositeAlarm`.
    pub alarm_type: String,
    /// When the state changed.
    pub at_ms: i64,
    /// Tells deeds of one alarm in one millisecond apart.
    pub number: u32,
    /// What is called: the ARN of a function, or a URL.
    pub action: String,
    /// What it is told, JSON.
    pub event: String,
}

impl AlarmDeed {
    /// The prefix of the keys of one alarm's deeds in one millisecond. Deeds are in the order of their time.
    pub fn prefix_at(scope: &Scope, alarm: &str, at_ms: i64) -> String {
        format!("{}/{}{}-", time(at_ms), crate::prefix(scope, &[]), part(alarm))
    }
}

impl Record for AlarmDeed {
    const TABLE: &'static str = "alarm_deed";
    const IS_ALWAYS_READABLE: bool = true;

    fn key(&self) -> String {
        format!("{}{:06}", AlarmDeed::prefix_at(&self.scope, &self.alarm, self.at_ms), self.number)
    }
}

/// Something that has happened to an alarm. It outlives the alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmEvent {
    pub scope: Scope,
    pub alarm: String,
    /// `MetricAlarm` or `CompositeAlarm`.
    #[serde(default = "metric_alarm")]
    pub alarm_type: String,
    pub at_ms: i64,
    /// Tells events of one alarm in one millisecond apart.
    pub number: u32,
    pub kind: AlarmEventKind,
    /// AWS's HistorySummary.
    pub summary: String,
    /// AWS's HistoryData, JSON.
    pub data: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmEventKind {
    ConfigurationUpdate,
    StateUpdate,
    Action,
}

/// What all events were of before there were others.
fn metric_alarm() -> String {
    "MetricAlarm".to_owned()
}

impl AlarmEvent {
    /// The prefix of the keys of one alarm's events.
    pub fn prefix_of(scope: &Scope, alarm: &str) -> String {
        crate::prefix(scope, &[&part(alarm)])
    }

    /// The prefix of the keys of one alarm's events in one millisecond.
    pub fn prefix_at(scope: &Scope, alarm: &str, at_ms: i64) -> String {
        format!("{}{}-", AlarmEvent::prefix_of(scope, alarm), time(at_ms))
    }

    /// Events of one alarm have keys in the order of their time.
    pub fn key_of(scope: &Scope, alarm: &str, at_ms: i64, number: u32) -> String {
        format!("{}{number:06}", AlarmEvent::prefix_at(scope, alarm, at_ms))
    }
}

impl Record for AlarmEvent {
    const TABLE: &'static str = "alarm_event";
    const IS_ALWAYS_READABLE: bool = true;

    fn key(&self) -> String {
        AlarmEvent::key_of(&self.scope, &self.alarm, self.at_ms, self.number)
    }
}

fn time(at_ms: i64) -> String {
    format!("{:015}", at_ms.max(0))
}

/// An alarm's name as a key's inner part: without `/`, and different names stay different.
fn part(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '/' | '%' => {
                let _ = write!(part, "%{:02X}", u32::from(letter));
            }
            _ => part.push(letter),
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_an_alarm_are_by_time_and_no_others_among_them() {
        let scope = Scope::default();
        let key = |alarm: &str, at_ms, number| AlarmEvent::key_of(&scope, alarm, at_ms, number);
        assert!(key("a", 999, 0) < key("a", 1_000, 0) && key("a", 1_000, 1) < key("a", 1_000, 10));
        let prefix = AlarmEvent::prefix_of(&scope, "a");
        assert!(key("a", 5, 0).starts_with(&prefix));
        for other in ["a/b", "ab", "a%2Fb", ""] {
            assert!(!key(other, 5, 0).starts_with(&prefix), "{other}");
        }
        assert_ne!(key("a/b", 5, 0), key("a%2Fb", 5, 0));
    }
}
