//! What callers ask of metrics, made into reads.

pub mod data;

use pitbird_telemetry::metrics::{Datapoint, MetricQuery, Unit, aligned_start};

use crate::Error;

/// How far back samples are kept at a period: seconds of the period, days. Source: CloudWatch, metric retention.
const AGES_DAYS: [(u32, i64); 3] = [(3600, 455), (300, 63), (60, 15)];
/// Below a minute, milliseconds.
const SECONDS_AGE_MS: i64 = 3 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// No sample is later than this from now, milliseconds. Source: PutMetricData.
const AHEAD_MS: i64 = 2 * 3_600_000;

/// A period in seconds that samples can be read at. Source: GetMetricStatistics, GetMetricData.
pub fn period(period_s: u32, parameter: &str) -> Result<u32, Error> {
    let fits = matches!(period_s, 1 | 5 | 10 | 20 | 30)
        || (60..=86_400).contains(&period_s) && period_s.is_multiple_of(60);
    if fits { Ok(period_s) } else { Err(Error::Period(parameter.to_owned())) }
}

pub fn unit(text: Option<String>) -> Result<Option<Unit>, Error> {
    text.map(|text| Unit::parse(&text).ok_or_else(|| Error::value("Unit", text))).transpose()
}

/// The same query without the times of which nothing can be known: those from before samples were kept, and the future.
pub fn clamped(mut query: MetricQuery) -> MetricQuery {
    let period_ms = i64::from(query.period_s) * 1000;
    let kept = AGES_DAYS.iter().find(|(seconds, _)| query.period_s >= *seconds);
    let oldest = query.now_ms - kept.map_or(SECONDS_AGE_MS, |(_, days)| days * DAY_MS);
    let start = aligned_start(query.start_ms, query.period_s, query.now_ms);
    // Whole periods are left out, so that the others keep their places.
    query.start_ms = start + ((oldest - start).max(0) / period_ms) * period_ms;
    query.end_ms = query.end_ms.min(query.now_ms + AHEAD_MS + period_ms).max(query.start_ms);
    query
}

/// A query's one statistic over time, of the unit that was measured last: what GetMetricData answers when no unit is
/// asked for.
pub fn series(found: &[Datapoint]) -> Vec<(i64, f64)> {
    let newest = found.iter().max_by_key(|datapoint| datapoint.at_ms).map(|newest| newest.unit);
    let of_unit = found.iter().filter(|datapoint| Some(datapoint.unit) == newest);
    let mut points: Vec<(i64, f64)> = of_unit
        .filter_map(|datapoint| Some((datapoint.at_ms, datapoint.values.first().copied().flatten()?)))
        .collect();
    points.sort_by_key(|(at_ms, _)| *at_ms);
    points
}

#[cfg(test)]
mod tests {
    use pitbird_names::Scope;
    use pitbird_telemetry::metrics::{DATAPOINTS_PER_READ, Dimensions, Metric, Stat};

    use super::*;

    #[test]
    fn any_range_is_small_enough_to_be_read() {
        let metric = Metric {
            scope: Scope::default(),
            namespace: "N".to_owned(),
            name: "m".to_owned(),
            dimensions: Dimensions::none(),
        };
        let now_ms = 1_763_900_012_345;
        for period_s in [1, 5, 10, 20, 30, 60, 120, 300, 3600, 86_400] {
            for (start_ms, end_ms) in [
                (-62_135_596_800_000, 253_402_300_799_999),
                (0, now_ms),
                (now_ms - 60_000, now_ms),
                (now_ms, 253_402_300_799_999),
                (253_402_300_000_000, 253_402_300_799_999),
            ] {
                let query = MetricQuery {
                    metric: metric.clone(),
                    unit: None,
                    period_s,
                    start_ms,
                    end_ms,
                    stats: vec![Stat::Sum],
                    now_ms,
                };
                let clamped = clamped(query);
                let periods = (clamped.end_ms - clamped.start_ms) / (i64::from(period_s) * 1000);
                assert!((0..=DATAPOINTS_PER_READ as i64).contains(&periods), "{period_s} {start_ms}");
                let moved = clamped.start_ms - aligned_start(start_ms, period_s, now_ms);
                assert_eq!(moved % (i64::from(period_s) * 1000), 0);
            }
        }
    }
}
