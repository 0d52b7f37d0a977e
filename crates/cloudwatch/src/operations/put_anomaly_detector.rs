use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::query::Dimension;
use crate::shape::Nothing;
use crate::{State, anomaly};

use super::detector::{Math, Single, target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    stat: Option<String>,
    configuration: Option<Configuration>,
    metric_characteristics: Option<Characteristics>,
    single_metric_anomaly_detector: Option<Single>,
    metric_math_anomaly_detector: Option<Math>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    pub excluded_time_ranges: Option<Vec<Range>>,
    pub metric_timezone: Option<String>,
}

/// Seconds since 1970.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Range {
    pub start_time: f64,
    pub end_time: f64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Characteristics {
    pub periodic_spikes: Option<bool>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let configuration = input.configuration;
    let (ranges, timezone) = configuration
        .map(|given| (given.excluded_time_ranges.unwrap_or_default(), given.metric_timezone))
        .unwrap_or_default();
    let spikes = input.metric_characteristics.and_then(|given| given.periodic_spikes);
    let excluded = ranges.into_iter().map(|range| (range.start_time, range.end_time)).collect();
    let settings = anomaly::settings(excluded, timezone, spikes)?;
    let flat = Single {
        account_id: None,
        namespace: input.namespace,
        metric_name: input.metric_name,
        dimensions: input.dimensions,
        stat: input.stat,
    };
    let target = target(flat, input.single_metric_anomaly_detector, input.metric_math_anomaly_detector)?;
    anomaly::put(&state, target, settings, &caller.scope, now_ms).await?;
    Ok(Nothing {})
}
