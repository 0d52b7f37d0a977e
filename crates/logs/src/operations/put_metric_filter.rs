use std::sync::Arc;

use pitbird_records::{MetricFilter, MetricTransformation, Record, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::filters::{self, Counting};
use crate::{Error, State, group};

/// Metric filters of one group. Source: PutMetricFilter.
const FILTERS_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    metric_transformations: Vec<Transformation>,
    apply_on_transformed_logs: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transformation {
    metric_name: String,
    metric_namespace: String,
    metric_value: String,
    default_value: Option<f64>,
    dimensions: Option<Texts>,
    unit: Option<String>,
}

/// Makes a filter or changes it. From the answer on each event that is filed passes it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if input.apply_on_transformed_logs == Some(true) {
        return Err(Error::unsupported("applyOnTransformedLogs").into());
    }
    group::kept(&state, &caller.scope, &input.log_group_name).await?;
    // The model says that there is exactly one.
    let metric = input.metric_transformations.into_iter().next().ok_or_else(|| {
        Error::Transformation("metricTransformations must have exactly one member".to_owned())
    })?;
    let filter = MetricFilter {
        scope: caller.scope,
        group: input.log_group_name,
        name: input.filter_name,
        created_ms: now_ms,
        pattern: input.filter_pattern,
        metric: MetricTransformation {
            namespace: metric.metric_namespace,
            name: metric.metric_name,
            value: metric.metric_value,
            default: metric.default_value,
            dimensions: metric.dimensions.unwrap_or_default(),
            unit: metric.unit,
        },
    };
    let regexes = Counting::compile(&filter)?.regexes();
    let put = move |tx: &mut Transaction<'_>| {
        let others = tx.count::<MetricFilter>(&MetricFilter::prefix_of(&filter.scope, &filter.group))?;
        let is_new = !tx.exists::<MetricFilter>(&filter.key())?;
        if is_new && others >= FILTERS_MAX {
            return Err(Error::Limit);
        }
        if regexes > 0 {
            filters::check_regexes(tx, &filter.scope, &filter.group, Some(&filter.name), None)?;
        }
        tx.put(&filter)?;
        Ok(())
    };
    state.store.write(put).await?;
    state.filters.read(&state.store).map_err(Error::from)?;
    Ok(Nothing {})
}
