//! What actions are told: the event that CloudWatch invokes a function with.
//!
//! Source: CloudWatch, "Invoke a Lambda function from an alarm"; the composite form is that of AWS's published sample events.

use pitbird_records::alarm::{Alarm, AlarmQuery, AlarmState, CompositeAlarm, MetricStatistic, Watched};
use serde_json::{Map, Value as Json, json};

use super::{Kind, Previous};
use crate::shape;

/// The event for a change from `before` to `alarm`.
pub fn of<A: Kind>(alarm: &A, before: &Previous<'_>) -> Json {
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
            "previousState": state(before.state, before.suppressed_by),
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

/// The configuration of an alarm on metrics.
pub fn of_metric(alarm: &Alarm) -> Json {
    let metrics = match &alarm.rule.watched {
        Watched::Metric(metric) => json!([{"id": "m1", "metricStat": stat(metric), "returnData": true}]),
        Watched::Queries { queries } => metrics(queries),
    };
    described(json!({"metrics": metrics}), alarm.head.description.as_deref())
}

/// The queries of metric math.
pub fn metrics(queries: &[AlarmQuery]) -> Json {
    let one = |query: &AlarmQuery| {
        let mut json = json!({
            "id": query.id,
            "metricStat": query.statistic.as_ref().map(stat),
            "expression": query.expression,
            "label": query.label,
            "period": query.period_s,
            "returnData": query.return_data.unwrap_or(true),
        });
        if let Some(members) = json.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        json
    };
    queries.iter().map(one).collect()
}

fn stat(metric: &MetricStatistic) -> Json {
    let dimensions: Map<String, Json> =
        metric.dimensions.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut stat = json!({
        "metric": {"namespace": metric.namespace, "name": metric.metric, "dimensions": dimensions},
        "period": metric.period_s,
        "stat": metric.statistic,
    });
    if let Some(unit) = &metric.unit {
        stat["unit"] = json!(unit);
    }
    stat
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
