//! What has been measured since the start, by series.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pitbird_names::Scope;
use pitbird_telemetry::metrics::{Measured, Stat, Unit};
use prost::Message;

use crate::config::Signal;
use crate::histogram::Histogram;
use crate::losses::Losses;
use crate::message::{
    self, CUMULATIVE, DELTA, Data, ExponentialHistogram, ExponentialHistogramDataPoint, KeyValue, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, attribute,
};
use crate::resource::{Origin, instrumentation};

/// Series that are exported; samples of others are dropped and counted. With 160 buckets each they take some 100 MB at the very worst.
const SERIES_MAX: usize = 20_000;
/// Points that go out together.
const POINTS_PER_REQUEST: usize = 1000;

/// All series, as far as there is room.
#[derive(Debug)]
pub struct Totals {
    series: Mutex<HashMap<i64, Series>>,
    /// Does every export begin from nothing?
    is_delta: bool,
}

#[derive(Debug, Clone)]
struct Series {
    scope: Scope,
    name: String,
    unit: &'static str,
    attributes: Vec<KeyValue>,
    samples: Samples,
}

#[derive(Debug, Clone)]
enum Samples {
    /// Of a metric that counts events: it only ever rises.
    Sum(f64),
    Histogram(Box<Histogram>),
}

/// One metric's points, by account, region, name, unit and kind.
type Key = (Scope, String, &'static str, bool);

impl Totals {
    pub fn new(is_delta: bool) -> Totals {
        Totals { series: Mutex::default(), is_delta }
    }

    pub fn is_delta(&self) -> bool {
        self.is_delta
    }

    /// Adds samples; `false` where there is no room for another series.
    pub fn add(&self, measured: &Measured<'_>) -> bool {
        let mut all = self.series();
        let is_full = all.len() >= SERIES_MAX;
        match all.get_mut(&measured.series) {
            Some(series) => series.add(measured),
            None if is_full => return false,
            None => {
                let mut series = Series::of(measured);
                series.add(measured);
                all.insert(measured.series, series);
            }
        }
        true
    }

    /// The requests that tell all series, and how many points are in each. Times are nanoseconds since 1970.
    pub fn encode(
        &self,
        origin: &Origin,
        losses: &Losses,
        (start_ns, now_ns): (u64, u64),
    ) -> Vec<(Vec<u8>, u64)> {
        let series: Vec<Series> = match self.is_delta {
            true => std::mem::take(&mut *self.series()).into_values().collect(),
            false => self.series().values().cloned().collect(),
        };
        let temporality = if self.is_delta { DELTA } else { CUMULATIVE };
        let mut requests = vec![(own(origin, losses, (start_ns, now_ns)), Signal::ALL.len() as u64)];
        for part in series.chunks(POINTS_PER_REQUEST) {
            let mut metrics: BTreeMap<Key, Vec<&Series>> = BTreeMap::new();
            for series in part {
                let is_sum = matches!(series.samples, Samples::Sum(_));
                let key = (series.scope.clone(), series.name.clone(), series.unit, is_sum);
                metrics.entry(key).or_default().push(series);
            }
            let mut resource_metrics: Vec<(Scope, ResourceMetrics)> = Vec::new();
            for ((scope, name, unit, _), series) in metrics {
                let metric = metric(name, unit, &series, (start_ns, now_ns), temporality);
                match resource_metrics.last_mut() {
                    Some((last, resource)) if *last == scope => {
                        resource.scope_metrics[0].metrics.push(metric)
                    }
                    _ => resource_metrics.push((scope.clone(), within(origin, &scope, metric))),
                }
            }
            let resource_metrics = resource_metrics.into_iter().map(|(_, resource)| resource).collect();
            let request = message::ExportMetricsServiceRequest { resource_metrics };
            requests.push((request.encode_to_vec(), part.len() as u64));
        }
        requests
    }

    fn series(&self) -> MutexGuard<'_, HashMap<i64, Series>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn of(measured: &Measured<'_>) -> Series {
        let Measured { scope, namespace, name, dimensions, unit, .. } = *measured;
        Series {
            scope: scope.clone(),
            // As CloudWatch's metric streams name them in OpenTelemetry's format.
            name: format!("amazonaws.com/{namespace}/{name}"),
            unit: unit_of(unit),
            attributes: dimensions.iter().map(|(name, value)| attribute(name, value)).collect(),
            samples: match counts_events(namespace, name, unit) {
                true => Samples::Sum(0.0),
                false => Samples::Histogram(Box::default()),
            },
        }
    }

    fn add(&mut self, measured: &Measured<'_>) {
        match &mut self.samples {
            Samples::Sum(sum) => *sum += measured.samples.stat(Stat::Sum).unwrap_or_default(),
            Samples::Histogram(histogram) => histogram.add(measured.samples),
        }
    }
}

/// Does a metric count events, so that its sum is all that there is to say? The platform's own do, but for those that say how much of
/// something is in use at a time. Of a user's metric nobody knows.
fn counts_events(namespace: &str, name: &str, unit: Unit) -> bool {
    let is_in_use = name.ends_with("Executions") || name.ends_with("Concurrency");
    namespace.starts_with("AWS/") && unit == Unit::Count && !is_in_use
}

fn metric(
    name: String,
    unit: &str,
    series: &[&Series],
    (start_ns, now_ns): (u64, u64),
    aggregation_temporality: i32,
) -> Metric {
    let (mut numbers, mut histograms) = (Vec::new(), Vec::new());
    for Series { attributes, samples, .. } in series {
        let attributes = attributes.clone();
        match samples {
            Samples::Sum(sum) => numbers.push(number(*sum, attributes, (start_ns, now_ns))),
            Samples::Histogram(histogram) => histograms.push(ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano: start_ns,
                time_unix_nano: now_ns,
                ..histogram.point()
            }),
        }
    }
    let data = match histograms.is_empty() {
        true => Data::Sum(Sum { data_points: numbers, aggregation_temporality, is_monotonic: true }),
        false => Data::Histogram(ExponentialHistogram { data_points: histograms, aggregation_temporality }),
    };
    Metric { name, unit: unit.to_owned(), data: Some(data) }
}

fn number(value: f64, attributes: Vec<KeyValue>, (start_ns, now_ns): (u64, u64)) -> NumberDataPoint {
    NumberDataPoint {
        start_time_unix_nano: start_ns,
        time_unix_nano: now_ns,
        as_double: Some(value),
        attributes,
    }
}

fn within(origin: &Origin, scope: &Scope, metric: Metric) -> ResourceMetrics {
    let scope_metrics = vec![ScopeMetrics { scope: Some(instrumentation()), metrics: vec![metric] }];
    ResourceMetrics { resource: Some(origin.within(scope)), scope_metrics }
}

/// What the exporter says of itself: how much of each signal it has dropped since the start.
fn own(origin: &Origin, losses: &Losses, times: (u64, u64)) -> Vec<u8> {
    let points = Signal::ALL
        .iter()
        .map(|signal| number(losses.of(*signal) as f64, vec![attribute("signal", signal.word())], times));
    let sum = Sum { data_points: points.collect(), aggregation_temporality: CUMULATIVE, is_monotonic: true };
    let metric =
        Metric { name: "pitbird.otlp.dropped".to_owned(), unit: "1".to_owned(), data: Some(Data::Sum(sum)) };
    let scope_metrics = vec![ScopeMetrics { scope: Some(instrumentation()), metrics: vec![metric] }];
    let resource_metrics = vec![ResourceMetrics { resource: Some(origin.resource()), scope_metrics }];
    message::ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

/// UCUM's word for CloudWatch's. Source: CloudWatch user guide, "Translations with OpenTelemetry 1.0.0 format in CloudWatch metric
/// streams".
fn unit_of(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Microseconds => "us",
        Unit::Milliseconds => "ms",
        Unit::Bytes => "By",
        Unit::Kilobytes => "kBy",
        Unit::Megabytes => "MBy",
        Unit::Gigabytes => "GBy",
        Unit::Terabytes => "TBy",
        Unit::Bits => "bit",
        Unit::Kilobits => "kbit",
        Unit::Megabits => "Mbit",
        Unit::Gigabits => "Gbit",
        Unit::Terabits => "Tbit",
        Unit::Percent => "%",
        Unit::Count => "{Count}",
        Unit::BytesPerSecond => "By/s",
        Unit::KilobytesPerSecond => "kBy/s",
        Unit::MegabytesPerSecond => "MBy/s",
        Unit::GigabytesPerSecond => "GBy/s",
        Unit::TerabytesPerSecond => "TBy/s",
        Unit::BitsPerSecond => "bit/s",
        Unit::KilobitsPerSecond => "kbit/s",
        Unit::MegabitsPerSecond => "Mbit/s",
        Unit::GigabitsPerSecond => "Gbit/s",
        Unit::TerabitsPerSecond => "Tbit/s",
        Unit::CountPerSecond => "{Count}/s",
        Unit::None => "1",
    }
}

#[cfg(test)]
mod tests {
    use pitbird_telemetry::metrics::{Aggregate, Dimensions};

    use super::*;

    fn add(totals: &Totals, series: i64, (namespace, name, unit): (&str, &str, Unit), value: f64) -> bool {
        let mut samples = Aggregate::default();
        samples.add(value, 1.0);
        let dimensions: Dimensions = [("d", series.to_string())].into_iter().collect();
        let scope = Scope::default();
        totals.add(&Measured {
            series,
            scope: &scope,
            namespace,
            name,
            dimensions: &dimensions,
            unit,
            samples: &samples,
        })
    }

    const INVOCATIONS: (&str, &str, Unit) = ("AWS/Lambda", "Invocations", Unit::Count);
    const DURATION: (&str, &str, Unit) = ("AWS/Lambda", "Duration", Unit::Milliseconds);
    const MINE: (&str, &str, Unit) = ("Mine", "orders", Unit::Count);

    fn told(totals: &Totals) -> Vec<Metric> {
        let requests = totals.encode(&Origin::new("s", "i", &[]), &Losses::default(), (1, 2));
        let mut metrics = Vec::new();
        for (bytes, _) in &requests {
            let request = message::ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
            for resource in request.resource_metrics {
                metrics.extend(resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
            }
        }
        metrics
    }

    fn sum(metrics: &[Metric], name: &str) -> Option<(i32, Vec<f64>)> {
        let found = metrics.iter().find(|metric| metric.name == name)?;
        match found.data.as_ref()? {
            Data::Sum(sum) => {
                let values = sum.data_points.iter().filter_map(|point| point.as_double).collect();
                Some((sum.aggregation_temporality, values))
            }
            Data::Histogram(_) => None,
        }
    }

    #[test]
    fn what_counts_events_is_a_sum_and_all_else_a_histogram() {
        let totals = Totals::new(false);
        for value in [0.0, 1.0, 1.0] {
            assert!(add(&totals, 1, INVOCATIONS, value) && add(&totals, 2, DURATION, value * 20.0));
            assert!(add(&totals, 3, MINE, value));
        }
        let metrics = told(&totals);
        assert_eq!(sum(&metrics, "amazonaws.com/AWS/Lambda/Invocations"), Some((CUMULATIVE, vec![2.0])));
        assert_eq!(sum(&metrics, "amazonaws.com/Mine/orders"), None);
        let duration = metrics.iter().find(|metric| metric.name.ends_with("Duration")).unwrap();
        assert_eq!(duration.unit, "ms");
        let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
        let point = &histogram.data_points[0];
        assert_eq!((point.count, point.zero_count, point.sum, point.max), (3, 1, Some(40.0), Some(20.0)));
        assert_eq!(point.attributes, [attribute("d", "2")]);
        assert_eq!(sum(&metrics, "pitbird.otlp.dropped"), Some((CUMULATIVE, vec![0.0; 3])));
        for (namespace, name, unit, is_sum) in [
            ("AWS/Lambda", "ConcurrentExecutions", Unit::Count, false),
            ("AWS/Lambda", "ClaimedAccountConcurrency", Unit::Count, false),
            ("AWS/Lambda", "ProvisionedConcurrencyInvocations", Unit::Count, true),
            ("AWS/ApiGateway", "5XXError", Unit::Count, true),
            ("AWS/ApiGateway", "Latency", Unit::Milliseconds, false),
            ("AWSish", "n", Unit::Count, false),
        ] {
            assert_eq!(counts_events(namespace, name, unit), is_sum, "{name}");
        }
    }

    #[test]
    fn totals_go_on_and_deltas_begin_anew() {
        for (is_delta, temporality, second) in [(false, CUMULATIVE, 3.0), (true, DELTA, 1.0)] {
            let totals = Totals::new(is_delta);
            let name = "amazonaws.com/AWS/Lambda/Invocations";
            add(&totals, 1, INVOCATIONS, 2.0);
            assert_eq!(sum(&told(&totals), name), Some((temporality, vec![2.0])));
            add(&totals, 1, INVOCATIONS, 1.0);
            assert_eq!(sum(&told(&totals), name), Some((temporality, vec![second])));
        }
    }

    #[test]
    fn there_is_a_bound_and_many_points_go_in_several_requests() {
        let totals = Totals::new(false);
        assert!((0..SERIES_MAX as i64).all(|series| add(&totals, series, INVOCATIONS, 1.0)));
        assert!(!add(&totals, -1, INVOCATIONS, 1.0), "no room");
        assert!(add(&totals, 5, INVOCATIONS, 1.0), "its place is known");
        let requests = totals.encode(&Origin::new("s", "i", &[]), &Losses::default(), (1, 2));
        assert_eq!(requests.len(), 1 + SERIES_MAX / POINTS_PER_REQUEST);
        assert!(requests.iter().all(|(bytes, _)| bytes.len() < 256 << 10));
    }
}
