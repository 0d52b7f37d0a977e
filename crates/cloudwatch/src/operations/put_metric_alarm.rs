use std::sync::Arc;

use pitbird_records::{Alarm, CompositeAlarm};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::put::{self, Named};
use crate::alarm::Given;
use crate::query::MetricDataQuery;
use crate::shape::{Dimension, Nothing};
use crate::tags::Tag;
use crate::{State, alarm, anomaly};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_name: String,
    alarm_description: Option<String>,
    actions_enabled: Option<bool>,
    #[serde(rename = "OKActions")]
    ok_actions: Option<Vec<String>>,
    alarm_actions: Option<Vec<String>>,
    insufficient_data_actions: Option<Vec<String>>,
    metric_name: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    period: Option<u32>,
    unit: Option<String>,
    metrics: Option<Vec<MetricDataQuery>>,
    evaluation_periods: Option<u32>,
    datapoints_to_alarm: Option<u32>,
    threshold: Option<f64>,
    threshold_metric_id: Option<String>,
    comparison_operator: Option<String>,
    treat_missing_data: Option<String>,
    evaluate_low_sample_count_percentile: Option<String>,
    tags: Option<Vec<Tag>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let given = Given {
        namespace: input.namespace,
        metric: input.metric_name,
        dimensions: input.dimensions,
        statistic: input.statistic,
        extended_statistic: input.extended_statistic,
        unit: input.unit,
        period_s: input.period,
        queries: input.metrics,
        evaluation_periods: input.evaluation_periods,
        datapoints_to_alarm: input.datapoints_to_alarm,
        threshold: input.threshold,
        threshold_metric: input.threshold_metric_id,
        comparison: input.comparison_operator,
        treat_missing_data: input.treat_missing_data,
        low_samples: input.evaluate_low_sample_count_percentile,
    };
    let rule = alarm::parse(given, &caller.scope)?;
    let detectors = alarm::detectors(&rule, &caller.scope, now_ms)?;
    let named = Named {
        name: input.alarm_name,
        description: input.alarm_description,
        actions_enabled: input.actions_enabled,
        ok_actions: input.ok_actions,
        alarm_actions: input.alarm_actions,
        insufficient_data_actions: input.insufficient_data_actions,
        tags: input.tags,
    };
    let mut made = Alarm { head: put::head(named, caller.scope, now_ms)?, rule };
    let tally = state.tally.clone();
    let write = move |tx: &mut Transaction<'_>| {
        alarm::put::<_, CompositeAlarm>(tx, &mut made, &tally, now_ms)?;
        anomaly::put_missing(tx, &detectors)
    };
    state.store.write(write).await?;
    Ok(Nothing {})
}
