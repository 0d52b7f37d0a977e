use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_telemetry::metrics::{self, Metric, MetricQuery, Stat};
use serde::{Deserialize, Serialize};

use crate::shape::{Dimension, dimensions, milliseconds, seconds};
use crate::{Error, State, query};

/// Datapoints of one call. Source: GetMetricStatistics.
const DATAPOINTS_MAX: u64 = 1440;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    namespace: String,
    metric_name: String,
    dimensions: Option<Vec<Dimension>>,
    start_time: f64,
    end_time: f64,
    period: u32,
    statistics: Option<Vec<String>>,
    extended_statistics: Option<Vec<String>>,
    unit: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    label: String,
    datapoints: Vec<Datapoint>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: f64,
    sample_count: Option<f64>,
    average: Option<f64>,
    sum: Option<f64>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    unit: &'static str,
    extended_statistics: Option<BTreeMap<String, f64>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let names = statistics(input.statistics, input.extended_statistics)?;
    let (start_ms, end_ms) = (milliseconds(input.start_time), milliseconds(input.end_time));
    if start_ms >= end_ms {
        return Err(Error::StartTime.into());
    }
    let period_s = query::period(input.period, "Period")?;
    let asked = (end_ms - start_ms).unsigned_abs().div_ceil(u64::from(period_s) * 1000);
    if asked > DATAPOINTS_MAX {
        return Err(Error::TooManyDatapoints { asked, limit: DATAPOINTS_MAX }.into());
    }
    let metric = Metric {
        scope: caller.scope,
        namespace: input.namespace,
        name: input.metric_name.clone(),
        dimensions: dimensions(input.dimensions, "Dimensions")?,
    };
    let stats = names.iter().map(|(_, stat)| *stat).collect();
    let unit = query::unit(input.unit)?;
    let asked = MetricQuery { metric, unit, period_s, start_ms, end_ms, stats, now_ms };
    let found = state.telemetry.statistics(vec![asked]).await.map_err(Error::from)?;
    let datapoints = found.into_iter().flatten().filter_map(|found| Datapoint::of(&names, found));
    Ok(Output { label: input.metric_name, datapoints: datapoints.collect() })
}

/// The statistics that are asked for, under the names that the answer gives them.
fn statistics(
    plain: Option<Vec<String>>,
    extended: Option<Vec<String>>,
) -> Result<Vec<(String, Stat)>, Error> {
    let given = |names: Option<Vec<String>>| names.filter(|names| !names.is_empty());
    let (parameter, names) = match (given(plain), given(extended)) {
        (Some(_), Some(_)) => {
            let (one, other) = ("Statistics".to_owned(), "ExtendedStatistics".to_owned());
            return Err(Error::Exclusive { one, other });
        }
        (None, None) => return Err(Error::NoStatistic),
        (Some(names), None) => ("Statistics", names),
        (None, Some(names)) => ("ExtendedStatistics", names),
    };
    let parse = |name: String| {
        let stat = Stat::parse(&name).map_err(|error| Error::statistic(parameter, error))?;
        Ok((name, stat))
    };
    names.into_iter().map(parse).collect()
}

impl Datapoint {
    /// `None` where none of the statistics is known.
    fn of(names: &[(String, Stat)], found: metrics::Datapoint) -> Option<Datapoint> {
        let mut datapoint =
            Datapoint { timestamp: seconds(found.at_ms), unit: found.unit.as_str(), ..Datapoint::default() };
        let known = names.iter().zip(found.values).filter_map(|(name, value)| Some((name, value?)));
        let mut is_empty = true;
        for ((name, stat), value) in known {
            is_empty = false;
            match stat {
                Stat::SampleCount => datapoint.sample_count = Some(value),
                Stat::Sum => datapoint.sum = Some(value),
                Stat::Average => datapoint.average = Some(value),
                Stat::Minimum => datapoint.minimum = Some(value),
                Stat::Maximum => datapoint.maximum = Some(value),
                _ => {
                    datapoint.extended_statistics.get_or_insert_default().insert(name.clone(), value);
                }
            }
        }
        (!is_empty).then_some(datapoint)
    }
}
