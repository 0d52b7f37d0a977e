use std::sync::Arc;

use pitbird_records::{MetricFilter, Texts};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State, group, page};

/// Filters on a page. Source: DescribeMetricFilters.
const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: Option<String>,
    filter_name_prefix: Option<String>,
    metric_name: Option<String>,
    metric_namespace: Option<String>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    metric_filters: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    filter_name: String,
    filter_pattern: String,
    metric_transformations: [Transformation; 1],
    creation_time: i64,
    log_group_name: String,
    apply_on_transformed_logs: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Transformation {
    metric_name: String,
    metric_namespace: String,
    metric_value: String,
    default_value: Option<f64>,
    dimensions: Option<Texts>,
    unit: Option<String>,
}

/// Filters of a group or of all, by name.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    if input.metric_name.is_some() != input.metric_namespace.is_some() {
        return Err(Error::NameAndNamespace.into());
    }
    let prefix = match &input.log_group_name {
        Some(name) => {
            group::kept(&state, &caller.scope, name).await?;
            MetricFilter::prefix_of(&caller.scope, name)
        }
        None => pitbird_records::prefix(&caller.scope, &[]),
    };
    let found = state.store.list::<MetricFilter>(&prefix).map_err(Error::from)?;
    let wanted = |filter: &MetricFilter| {
        let is = |asked: &Option<String>, found: &str| asked.as_deref().is_none_or(|asked| asked == found);
        input.filter_name_prefix.as_deref().is_none_or(|prefix| filter.name.starts_with(prefix))
            && is(&input.metric_name, &filter.metric.name)
            && is(&input.metric_namespace, &filter.metric.namespace)
    };
    // Neither name has a colon: the key tells filters of different groups apart.
    let named = |filter: MetricFilter| (format!("{}:{}", filter.name, filter.group), filter);
    let mut filters: Vec<(String, MetricFilter)> =
        found.into_iter().map(|found| found.record).filter(wanted).map(named).collect();
    filters.sort_by(|one, other| one.0.cmp(&other.0));
    let limit = input.limit.map_or(LIMIT, |limit| limit as usize);
    let (filters, next_token) = page::cut(filters, input.next_token.as_deref(), limit, |(key, _)| key)?;
    Ok(Output { metric_filters: filters.into_iter().map(|(_, filter)| filter.into()).collect(), next_token })
}

impl From<MetricFilter> for Described {
    fn from(filter: MetricFilter) -> Described {
        let metric = filter.metric;
        Described {
            filter_name: filter.name,
            filter_pattern: filter.pattern,
            metric_transformations: [Transformation {
                metric_name: metric.name,
                metric_namespace: metric.namespace,
                metric_value: metric.value,
                default_value: metric.default,
                dimensions: Some(metric.dimensions).filter(|dimensions| !dimensions.is_empty()),
                unit: metric.unit,
            }],
            creation_time: filter.created_ms,
            log_group_name: filter.group,
            apply_on_transformed_logs: false,
        }
    }
}
