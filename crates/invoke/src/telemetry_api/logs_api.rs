//! Events as the Logs API (2020-08-15) has them, which the Telemetry API took the place of: fewer, with fewer members, and lines with
//! their line break. Source: Lambda developer guide, "Using the Lambda Logs API".

use std::sync::Arc;

use serde_json::{Value, json};

use super::subscription::Kind;
use crate::lines::instant;

/// An event in this API's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsEvent {
    pub json: Arc<str>,
    /// Only schema 2021-03-18 has it.
    pub is_newer: bool,
}

/// What subscribers are told of an event of the Telemetry API's: the start is none of theirs.
pub fn platform(event: &Value) -> Vec<LogsEvent> {
    let record = &event["record"];
    let told = |name: &str, record: Value, is_newer: bool| {
        let event = json!({ "time": event["time"], "type": format!("platform.{name}"), "record": record });
        LogsEvent { json: event.to_string().into(), is_newer }
    };
    let id = &record["requestId"];
    match event["type"].as_str().and_then(|name| name.strip_prefix("platform.")) {
        Some("start") => {
            vec![told("start", json!({ "requestId": id, "version": record["version"] }), false)]
        }
        Some("runtimeDone") => {
            let status = match record["status"].as_str() {
                Some("error") => "failure",
                other => other.unwrap_or_default(),
            };
            vec![told("runtimeDone", json!({ "requestId": id, "status": status }), true)]
        }
        Some("report") => {
            let report = json!({ "requestId": id, "metrics": record["metrics"] });
            vec![told("end", json!({ "requestId": id }), false), told("report", report, false)]
        }
        Some(name @ ("extension" | "logsSubscription" | "telemetrySubscription" | "logsDropped")) => {
            vec![told(name, record.clone(), false)]
        }
        _ => Vec::new(),
    }
}

/// What the platform says of a failure.
pub fn fault(now_ms: i64, words: &str) -> LogsEvent {
    line("platform.fault", now_ms, words.trim_end())
}

/// A line as it was written.
pub fn written(kind: Kind, now_ms: i64, text: &str) -> LogsEvent {
    line(kind.as_str(), now_ms, text)
}

fn line(name: &str, now_ms: i64, text: &str) -> LogsEvent {
    let event = json!({ "time": instant(now_ms), "type": name, "record": text });
    LogsEvent { json: event.to_string().into(), is_newer: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, record: Value, expected: &[(&str, Value, bool)]) {
        let time = "2020-08-20T12:31:32.123Z";
        let event = json!({ "time": time, "type": format!("platform.{name}"), "record": record });
        let expected: Vec<LogsEvent> = expected
            .iter()
            .map(|(name, record, is_newer)| {
                let event = json!({ "time": time, "type": format!("platform.{name}"), "record": record });
                LogsEvent { json: event.to_string().into(), is_newer: *is_newer }
            })
            .collect();
        assert_eq!(platform(&event), expected, "{name}");
    }

    #[test]
    fn events_have_what_they_had_before_the_telemetry_api() {
        let tracing = json!({ "type": "X-Amzn-Trace-Id", "value": "Root=1" });
        let start = json!({ "requestId": "id", "version": "7", "tracing": tracing });
        check("start", start, &[("start", json!({ "requestId": "id", "version": "7" }), false)]);
        for (status, expected) in [("success", "success"), ("error", "failure"), ("timeout", "timeout")] {
            let done =
                json!({ "requestId": "id", "status": status, "metrics": { "durationMs": 1 }, "spans": [] });
            check(
                "runtimeDone",
                done,
                &[("runtimeDone", json!({ "requestId": "id", "status": expected }), true)],
            );
        }
        let metrics = json!({ "durationMs": 101.51, "billedDurationMs": 300 });
        let report =
            json!({ "requestId": "id", "metrics": metrics, "status": "success", "tracing": tracing });
        let (end, told) = (json!({ "requestId": "id" }), json!({ "requestId": "id", "metrics": metrics }));
        check("report", report, &[("end", end, false), ("report", told, false)]);
        for name in ["extension", "logsSubscription", "telemetrySubscription", "logsDropped"] {
            let record = json!({ "name": "x", "state": "Ready" });
            check(name, record.clone(), &[(name, record, false)]);
        }
        for name in ["initStart", "initRuntimeDone", "initReport", "restoreStart"] {
            check(name, json!({}), &[]);
        }
    }
}
