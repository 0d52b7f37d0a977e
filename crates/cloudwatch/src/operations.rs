//! One file per operation: its input, its output, one function.

mod delete_alarms;
mod delete_anomaly_detector;
mod delete_dashboards;
mod describe_alarm_history;
mod describe_alarms;
mod describe_alarms_for_metric;
mod describe_anomaly_detectors;
mod detector;
mod disable_alarm_actions;
mod enable_alarm_actions;
mod get_dashboard;
mod get_metric_data;
mod get_metric_statistics;
mod get_metric_widget_image;
mod list_dashboards;
mod list_metrics;
mod list_tags_for_resource;
mod put;
mod put_anomaly_detector;
mod put_composite_alarm;
mod put_dashboard;
mod put_metric_alarm;
mod put_metric_data;
mod set_alarm_state;
mod tag_resource;
mod untag_resource;

use pitbird_names::Scope;
use pitbird_records::{Alarm, CompositeAlarm};
use pitbird_service::Builder;
use pitbird_store::Transaction;

use crate::alarm::Kind;
use crate::{Error, State, alarm};

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("DeleteAlarms", &[], delete_alarms::run)
        .operation("DeleteAnomalyDetector", &[], delete_anomaly_detector::run)
        .operation("DeleteDashboards", &[], delete_dashboards::run)
        .operation("DescribeAlarmHistory", &[], describe_alarm_history::run)
        .operation("DescribeAlarms", &[], describe_alarms::run)
        .operation("DescribeAlarmsForMetric", &[], describe_alarms_for_metric::run)
        .operation("DescribeAnomalyDetectors", &[], describe_anomaly_detectors::run)
        .operation("DisableAlarmActions", &[], disable_alarm_actions::run)
        .operation("EnableAlarmActions", &[], enable_alarm_actions::run)
        .operation("GetDashboard", &[], get_dashboard::run)
        .operation("GetMetricData", &[], get_metric_data::run)
        .operation("GetMetricStatistics", &[], get_metric_statistics::run)
        .operation("GetMetricWidgetImage", &[], get_metric_widget_image::run)
        .operation("ListDashboards", &[], list_dashboards::run)
        .operation("ListMetrics", &[], list_metrics::run)
        .operation("ListTagsForResource", &[], list_tags_for_resource::run)
        .operation("PutAnomalyDetector", &[], put_anomaly_detector::run)
        .operation("PutCompositeAlarm", &[], put_composite_alarm::run)
        .operation("PutDashboard", &[], put_dashboard::run)
        .operation("PutMetricAlarm", &[], put_metric_alarm::run)
        .operation("PutMetricData", &[], put_metric_data::run)
        .operation("SetAlarmState", &[], set_alarm_state::run)
        .operation("TagResource", &[], tag_resource::run)
        .operation("UntagResource", &[], untag_resource::run)
}

/// Switches the actions of alarms on or off. Alarms that don't exist are passed over.
async fn switch_actions(
    state: &State,
    scope: Scope,
    names: Vec<String>,
    enabled: bool,
    now_ms: i64,
) -> Result<(), Error> {
    let switch = move |tx: &mut Transaction<'_>| {
        for name in names {
            let key = Alarm::key_of(&scope, &name);
            if !switch_one::<Alarm>(tx, &key, enabled, now_ms)? {
                switch_one::<CompositeAlarm>(tx, &key, enabled, now_ms)?;
            }
        }
        Ok(())
    };
    state.store.write(switch).await
}

/// Is there such an alarm?
fn switch_one<A: Kind>(
    tx: &mut Transaction<'_>,
    key: &str,
    enabled: bool,
    now_ms: i64,
) -> Result<bool, Error> {
    let Some(found) = tx.get::<A>(key)? else { return Ok(false) };
    let mut alarm = found.record;
    let head = alarm.head_mut();
    if head.actions_enabled != enabled {
        (head.actions_enabled, head.configured_ms) = (enabled, now_ms);
        tx.put(&alarm)?;
        alarm::note_configured(tx, &alarm, false, now_ms)?;
    }
    Ok(true)
}
