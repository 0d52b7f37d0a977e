//! What several operations take and give, in AWS's names.

use pitbird_records::alarm::{Alarm, AlarmActions, AlarmHead, CompositeAlarm, Watched};
use pitbird_telemetry::alarm;
use pitbird_telemetry::metrics::{Dimensions, Stat};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::query::MetricDataQuery;

/// The output of operations that have none.
#[derive(Debug, Serialize)]
pub struct Nothing {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Dimension {
    pub name: String,
    pub value: String,
}

/// Dimensions by name, each name once. `parameter` says where they were given.
pub fn dimensions(given: Option<Vec<Dimension>>, parameter: &str) -> Result<Dimensions, Error> {
    let given = given.unwrap_or_default();
    let count = given.len();
    let dimensions: Dimensions = given.into_iter().map(|one| (one.name, one.value)).collect();
    if dimensions.iter().count() < count {
        return Err(Error::Invalid(format!("{parameter} names a dimension more than once.")));
    }
    Ok(dimensions)
}

/// Latest and earliest time that is reckoned with, milliseconds: the years 1 to 9999.
const TIME_MS: (f64, f64) = (-62_135_596_800_000.0, 253_402_300_799_999.0);

/// Milliseconds since 1970 of a time that came as seconds; what no calendar has is the nearest that one has.
pub fn milliseconds(seconds: f64) -> i64 {
    let ms = (seconds * 1000.0).round();
    if ms.is_nan() { 0 } else { ms.clamp(TIME_MS.0, TIME_MS.1) as i64 }
}

/// Seconds since 1970 of a time in milliseconds.
pub fn seconds(at_ms: i64) -> f64 {
    at_ms as f64 / 1000.0
}

/// `2023-08-04T12:36:15.490+0000`.
pub fn stamp(at_ms: i64) -> String {
    alarm::precise(at_ms)
}

/// `Friday 04 August, 2023 12:54:46 UTC`.
pub fn long_date(at_ms: i64) -> String {
    alarm::long_date(at_ms)
}

/// ActionsSuppressedReason.
pub fn suppressed(by: &str) -> String {
    format!("Actions suppressed by {by}")
}

/// What callers see of any alarm.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Head {
    alarm_name: String,
    alarm_arn: String,
    alarm_description: Option<String>,
    alarm_configuration_updated_timestamp: f64,
    actions_enabled: bool,
    #[serde(rename = "OKActions")]
    ok_actions: Vec<String>,
    alarm_actions: Vec<String>,
    insufficient_data_actions: Vec<String>,
    state_value: String,
    state_reason: String,
    state_reason_data: Option<String>,
    state_updated_timestamp: f64,
    state_transitioned_timestamp: f64,
}

impl From<AlarmHead> for Head {
    fn from(head: AlarmHead) -> Head {
        let alarm_arn = head.arn();
        let AlarmActions { ok, alarm, insufficient_data } = head.actions;
        Head {
            alarm_name: head.name,
            alarm_arn,
            alarm_description: head.description,
            alarm_configuration_updated_timestamp: seconds(head.configured_ms),
            actions_enabled: head.actions_enabled,
            ok_actions: ok,
            alarm_actions: alarm,
            insufficient_data_actions: insufficient_data,
            state_value: head.state.value,
            state_reason: head.state.reason,
            state_reason_data: head.state.reason_data,
            state_updated_timestamp: seconds(head.state.updated_ms),
            state_transitioned_timestamp: seconds(head.state.transitioned_ms),
        }
    }
}

/// An alarm on a metric as callers see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricAlarm {
    #[serde(flatten)]
    head: Head,
    metric_name: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    dimensions: Vec<Dimension>,
    period: Option<u32>,
    unit: Option<String>,
    metrics: Option<Vec<MetricDataQuery>>,
    evaluation_periods: u32,
    datapoints_to_alarm: Option<u32>,
    threshold: Option<f64>,
    threshold_metric_id: Option<String>,
    comparison_operator: String,
    treat_missing_data: Option<String>,
    evaluate_low_sample_count_percentile: Option<String>,
}

impl From<Alarm> for MetricAlarm {
    fn from(Alarm { head, rule }: Alarm) -> MetricAlarm {
        let (metric, metrics) = match rule.watched {
            Watched::Metric(metric) => (Some(metric), None),
            Watched::Queries { queries } => (None, Some(queries.iter().map(MetricDataQuery::from).collect())),
        };
        let metric = metric.as_ref();
        let (statistic, extended_statistic) =
            metric.map(|metric| statistics(&metric.statistic)).unwrap_or_default();
        MetricAlarm {
            head: head.into(),
            metric_name: metric.map(|metric| metric.metric.clone()),
            namespace: metric.map(|metric| metric.namespace.clone()),
            statistic,
            extended_statistic,
            dimensions: metric.map(|metric| pairs(&metric.dimensions)).unwrap_or_default(),
            period: metric.map(|metric| metric.period_s),
            unit: metric.and_then(|metric| metric.unit.clone()),
            metrics,
            evaluation_periods: rule.evaluation_periods,
            datapoints_to_alarm: rule.datapoints_to_alarm,
            threshold: rule.threshold,
            threshold_metric_id: rule.threshold_metric,
            comparison_operator: rule.comparison,
            treat_missing_data: rule.treat_missing_data,
            evaluate_low_sample_count_percentile: rule.low_samples,
        }
    }
}

/// An alarm on alarms as callers see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Composite {
    #[serde(flatten)]
    head: Head,
    alarm_rule: String,
    actions_suppressed_by: Option<String>,
    actions_suppressed_reason: Option<String>,
    actions_suppressor: Option<String>,
    actions_suppressor_wait_period: Option<u32>,
    actions_suppressor_extension_period: Option<u32>,
}

impl From<CompositeAlarm> for Composite {
    fn from(alarm: CompositeAlarm) -> Composite {
        let by = alarm.suppression.map(|suppression| suppression.by);
        let suppressor = alarm.suppressor.as_ref();
        Composite {
            head: alarm.head.into(),
            alarm_rule: alarm.rule,
            actions_suppressed_reason: by.as_deref().map(suppressed),
            actions_suppressed_by: by,
            actions_suppressor_wait_period: suppressor.map(|it| it.wait_s),
            actions_suppressor_extension_period: suppressor.map(|it| it.extension_s),
            actions_suppressor: alarm.suppressor.map(|it| it.alarm),
        }
    }
}

/// Dimensions as callers see them.
pub fn pairs(dimensions: &[(String, String)]) -> Vec<Dimension> {
    let pair = |(name, value): &(String, String)| Dimension { name: name.clone(), value: value.clone() };
    dimensions.iter().map(pair).collect()
}

/// A statistic as `Statistic` or as `ExtendedStatistic`.
pub fn statistics(statistic: &str) -> (Option<String>, Option<String>) {
    let is_extended = Stat::parse(statistic).is_ok_and(Stat::is_extended);
    let text = || statistic.to_owned();
    ((!is_extended).then(text), is_extended.then(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_within_the_calendar() {
        for (seconds, ms) in
            [(1.5, 1500), (f64::NAN, 0), (f64::INFINITY, 253_402_300_799_999), (-1e300, -62_135_596_800_000)]
        {
            assert_eq!(milliseconds(seconds), ms);
        }
    }
}
