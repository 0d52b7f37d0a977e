//! What actions are told: the event that CloudWatch invokes a function with.
//!
//! Source: CloudWatch, "Invoke a Lambda function from an alarm"; the composite form is that of AWS's published sample events.

use pitbird_records::alarm::{Alarm, AlarmState, CompositeAlarm};
use serde_json::{Map, Value as Json, json};

use super::Kind;
use crate::shape;

/// The event for a change from `before` to `alarm`.
pub fn of<A: Kind>(alarm: &A, before: &A) -> Json {
    let head = alarm.head();
    json!({
        "source": "aws.cloudwatch",
        "alarmArn": head.arn(),
        "accountId": head.scope.account.as_str(),
        "time": shape::stamp(head.state.updated_ms),
        "region": head.scope.region.as_str(),
        "alarmData": {
            "alarmName": head.name,
            "state": state(&head.state, alarm.suppressed_by()),
            "previousState": state(&before.head().state, before.suppressed_by()),
            "configuration": alarm.event_configuration(),
        },
    })
}

fn state(state: &AlarmState, suppressed_by: Option<&str>) -> Json {
    let mut json =
        json!({"value": state.value, "reason": state.reason, "timestamp": shape::stamp(state.updated_ms)});
    if let Some(data) = &state.reason_data {
        json["reasonData"] = json!(data);
    }
    if let Some(by) = suppressed_by {
        json["actionsSuppressedBy"] = json!(by);
        json["actionsSuppressedReason"] = json!(shape::suppressed(by));
    }
    json
}

/// The configuration of an alarm on a metric.
pub fn of_metric(alarm: &Alarm) -> Json {
    let rule = &alarm.rule;
    let dimensions: Map<String, Json> =
        rule.dimensions.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut stat = json!({
        "metric": {"namespace": rule.namespace, "name": rule.metric, "dimensions": dimensions},
        "period": rule.period_s,
        "stat": rule.statistic,
    });
    if let Some(unit) = &rule.unit {
        stat["unit"] = json!(unit);
    }
    let metrics = json!([{"id": "m1", "metricStat": stat, "returnData": true}]);
    described(json!({"metrics": metrics}), alarm.head.description.as_deref())
}

/// The configuration of a composite alarm.
pub fn of_composite(alarm: &CompositeAlarm) -> Json {
    let mut json = json!({"alarmRule": alarm.rule});
    if let Some(suppressor) = &alarm.suppressor {
        json["actionsSuppressor"] = json!(suppressor.alarm);
        json["actionsSuppressorWaitPeriod"] = json!(suppressor.wait_s);
        json["actionsSuppressorExtensionPeriod"] = json!(suppressor.extension_s);
    }
    described(json, alarm.head.description.as_deref())
}

fn described(mut json: Json, description: Option<&str>) -> Json {
    if let Some(description) = description {
        json["description"] = json!(description);
    }
    json
}
