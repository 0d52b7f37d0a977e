use std::sync::Arc;

use pitbird_records::AnomalyDetector;
use pitbird_records::anomaly_detector::{Modelled, ModelledMetric};
use pitbird_service::{Call, Fault};
use pitbird_store::Versioned;
use serde::{Deserialize, Serialize};

use super::detector::{Math, Single};
use super::put_anomaly_detector::{Characteristics, Configuration, Range};
use crate::query::{Dimension, MetricDataQuery};
use crate::shape::{pairs, seconds};
use crate::{Error, State, page};

/// Models on a page. Source: DescribeAnomalyDetectors.
const LIMIT: u32 = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    next_token: Option<String>,
    max_results: Option<u32>,
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    anomaly_detector_types: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    anomaly_detectors: Vec<Shown>,
    next_token: Option<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    stat: Option<String>,
    configuration: Option<Configuration>,
    state_value: &'static str,
    metric_characteristics: Option<Characteristics>,
    single_metric_anomaly_detector: Option<Single>,
    metric_math_anomaly_detector: Option<Math>,
}

/// The models of the kinds that are asked for, of single metrics if nothing is; those that have to do with a metric.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let limit = input.max_results.unwrap_or(LIMIT).clamp(1, LIMIT) as usize;
    let prefix = AnomalyDetector::prefix_of(&caller.scope);
    let mut found =
        state.read(move |store| store.list::<AnomalyDetector>(&prefix)).await.map_err(Error::from)?;
    found.retain(|found| input.takes(&found.record.of));
    let key = |found: &Versioned<AnomalyDetector>| found.record.identity.clone();
    let (found, next_token) = page::cut(found, input.next_token.as_deref(), limit, key)?;
    let shown = |found: Versioned<AnomalyDetector>| shown(state.models.state_value(&found), found.record);
    Ok(Output { anomaly_detectors: found.into_iter().map(shown).collect(), next_token })
}

impl Input {
    fn takes(&self, of: &Modelled) -> bool {
        let kind = match of {
            Modelled::Metric(_) => "SINGLE_METRIC",
            Modelled::Queries(_) => "METRIC_MATH",
        };
        let is_asked = match self.anomaly_detector_types.as_deref() {
            None | Some([]) => kind == "SINGLE_METRIC",
            Some(kinds) => kinds.iter().any(|asked| asked == kind),
        };
        is_asked
            && match of {
                Modelled::Metric(of) => self.is_of(&of.namespace, &of.metric, &of.dimensions),
                Modelled::Queries(queries) => {
                    let mut stats = queries.iter().filter_map(|query| query.statistic.as_ref());
                    stats.any(|of| self.is_of(&of.namespace, &of.metric, &of.dimensions))
                }
            }
    }

    /// A metric may have more dimensions than are asked for.
    fn is_of(&self, namespace: &str, metric: &str, dimensions: &[(String, String)]) -> bool {
        let has = |asked: &Dimension| {
            dimensions.iter().any(|(name, value)| *name == asked.name && *value == asked.value)
        };
        self.namespace.as_deref().is_none_or(|asked| asked == namespace)
            && self.metric_name.as_deref().is_none_or(|asked| asked == metric)
            && self.dimensions.iter().flatten().all(has)
    }
}

fn shown(state_value: &'static str, detector: AnomalyDetector) -> Shown {
    let range = |(start, end): &(i64, i64)| Range { start_time: seconds(*start), end_time: seconds(*end) };
    let ranges: Vec<Range> = detector.excluded.iter().map(range).collect();
    let configuration = Configuration {
        excluded_time_ranges: (!ranges.is_empty()).then_some(ranges),
        metric_timezone: detector.timezone,
    };
    let is_configured =
        configuration.excluded_time_ranges.is_some() || configuration.metric_timezone.is_some();
    let characteristics =
        detector.has_periodic_spikes.map(|spikes| Characteristics { periodic_spikes: Some(spikes) });
    let whole = Shown {
        configuration: is_configured.then_some(configuration),
        state_value,
        metric_characteristics: characteristics,
        ..Shown::default()
    };
    match detector.of {
        Modelled::Metric(of) => of_metric(whole, of),
        Modelled::Queries(queries) => {
            let queries = queries.iter().map(MetricDataQuery::from).collect();
            Shown { metric_math_anomaly_detector: Some(Math { metric_data_queries: Some(queries) }), ..whole }
        }
    }
}

/// A metric is told twice: by the deprecated members too.
fn of_metric(whole: Shown, of: ModelledMetric) -> Shown {
    let dimensions = pairs(&of.dimensions);
    let single = Single {
        account_id: None,
        namespace: Some(of.namespace.clone()),
        metric_name: Some(of.metric.clone()),
        dimensions: Some(dimensions.clone()),
        stat: Some(of.statistic.clone()),
    };
    Shown {
        namespace: Some(of.namespace),
        metric_name: Some(of.metric),
        dimensions: Some(dimensions),
        stat: Some(of.statistic),
        single_metric_anomaly_detector: Some(single),
        ..whole
    }
}
