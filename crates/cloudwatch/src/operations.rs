//! One file per operation: its input, its output, one function.

mod delete_alarms;
mod describe_alarm_history;
mod describe_alarms;
mod describe_alarms_for_metric;
mod disable_alarm_actions;
mod enable_alarm_actions;
mod get_metric_data;
mod get_metric_statistics;
mod list_metrics;
mod list_tags_for_resource;
mod put_metric_alarm;
mod put_metric_data;
mod set_alarm_state;
mod tag_resource;
mod untag_resource;

use pitbird_names::Scope;
use pitbird_records::Alarm;
use pitbird_service::Builder;
use pitbird_store::Transaction;

use crate::{Error, State, alarm};

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("DeleteAlarms", &[], delete_alarms::run)
        .operation("DescribeAlarmHistory", &[], describe_alarm_history::run)
        .operation("DescribeAlarms", &[], describe_alarms::run)
        .operation("DescribeAlarmsForMetric", &[], describe_alarms_for_metric::run)
        .operation("DisableAlarmActions", &[], disable_alarm_actions::run)
        .operation("EnableAlarmActions", &[], enable_alarm_actions::run)
        .operation("GetMetricData", &[], get_metric_data::run)
        .operation("GetMetricStatistics", &[], get_metric_statistics::run)
        .operation("ListMetrics", &[], list_metrics::run)
        .operation("ListTagsForResource", &[], list_tags_for_resource::run)
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
            let found = tx.get::<Alarm>(&Alarm::key_of(&scope, &name))?;
            let Some(found) = found.filter(|found| found.record.actions_enabled != enabled) else { continue };
            let before = found.record;
            let after = Alarm { actions_enabled: enabled, configured_ms: now_ms, ..before.clone() };
            tx.put(&after)?;
            alarm::note_configured(tx, &after, Some(&before), now_ms)?;
        }
        Ok(())
    };
    state.store.write(switch).await
}
