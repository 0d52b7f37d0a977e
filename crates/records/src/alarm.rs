//! A metric alarm: what it watches, the state it is in, and what has happened to it.
//!
//! Texts that AWS has an enum for are AWS's words; who reads them turns them into types.

use std::fmt::Write;

use pitbird_names::{Scope, arn};
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub scope: Scope,
    pub name: String,
    pub description: Option<String>,
    pub actions_enabled: bool,
    /// When the alarm was made or its rule last changed.
    pub configured_ms: i64,
    pub rule: AlarmRule,
    pub state: AlarmState,
    pub tags: Texts,
}

/// A static threshold on one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmRule {
    pub namespace: String,
    pub metric: String,
    /// Names and values, in the order in which they were given.
    pub dimensions: Vec<(String, String)>,
    /// `Average`, …, or a percentile such as `p99.9`.
    pub statistic: String,
    pub unit: Option<String>,
    pub period_s: u32,
    pub evaluation_periods: u32,
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: f64,
    pub comparison: String,
    pub treat_missing_data: Option<String>,
    pub low_samples: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmState {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub value: String,
    pub reason: String,
    /// JSON.
    pub reason_data: Option<String>,
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

    /// `arn:aws:cloudwatch:{region}:{account}:alarm:{name}`.
    pub fn arn(&self) -> String {
        arn::alarm(&self.scope, &self.name)
    }
}

impl Record for Alarm {
    const TABLE: &'static str = "alarm";
    fn key(&self) -> String {
        Alarm::key_of(&self.scope, &self.name)
    }
}

/// Something that has happened to an alarm. It outlives the alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmEvent {
    pub scope: Scope,
    pub alarm: String,
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
