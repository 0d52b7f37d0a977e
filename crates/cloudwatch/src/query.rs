//! What callers ask of metrics, made into reads.
//!
//! [`Plan::parse`] checks queries, [`evaluate`] answers them.

mod band;
pub(crate) mod cursor;
mod data;
mod evaluate;
mod gather;
pub(crate) mod label;
mod plan;
mod world;

use pitbird_telemetry::metrics::{Unit, aligned_start};

pub(crate) use self::band::Banded;
pub use self::data::{Identity, MetricDataQuery, MetricStat};
pub use self::evaluate::{Evaluated, Message, SeriesResult, Span, evaluate};
pub(crate) use self::evaluate::{evaluate_some, evaluate_together, history};
pub use self::plan::Plan;
pub(crate) use self::world::Bands;
use crate::Error;
pub use crate::shape::Dimension;

/// How far back samples are kept at a period: seconds of the period, days. Source: CloudWatch, metric retention.
const AGES_DAYS: [(u32, i64); 3] = [(3600, 455), (300, 63), (60, 15)];
/// Below a minute, milliseconds.
const SECONDS_AGE_MS: i64 = 3 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// No sample is later than this from now, milliseconds. Source: PutMetricData.
const AHEAD_MS: i64 = 2 * 3_600_000;

/// A period in seconds that samples can be read at. Source: GetMetricStatistics, GetMetricData.
pub(crate) fn period(period_s: u32, parameter: &str) -> Result<u32, Error> {
    let fits = matches!(period_s, 1 | 5 | 10 | 20 | 30)
        || (60..=86_400).contains(&period_s) && period_s.is_multiple_of(60);
    if fits { Ok(period_s) } else { Err(Error::Period(parameter.to_owned())) }
}

pub(crate) fn unit(text: Option<String>) -> Result<Option<Unit>, Error> {
    text.map(|text| Unit::parse(&text).ok_or_else(|| Error::value("Unit", text))).transpose()
}

/// The first period's start, and before which time the last one starts, without the times of which nothing can be known: those from
/// before samples were kept, and the future. Milliseconds.
pub(crate) fn clamped(start_ms: i64, end_ms: i64, period_s: u32, now_ms: i64) -> (i64, i64) {
    let period_ms = i64::from(period_s) * 1000;
    let kept = AGES_DAYS.iter().find(|(seconds, _)| period_s >= *seconds);
    let oldest = now_ms - kept.map_or(SECONDS_AGE_MS, |(_, days)| days * DAY_MS);
    let start = aligned_start(start_ms, period_s, now_ms);
    // Whole periods are left out, so that the others keep their places.
    let start_ms = start + ((oldest - start).max(0) / period_ms) * period_ms;
    (start_ms, end_ms.min(now_ms + AHEAD_MS + period_ms).max(start_ms))
}

#[cfg(test)]
mod tests {
    use pitbird_telemetry::metrics::DATAPOINTS_PER_READ;

    use super::*;

    #[test]
    fn any_range_is_small_enough_to_be_read() {
        let now_ms = 1_763_900_012_345;
        for period_s in [1, 5, 10, 20, 30, 60, 120, 300, 3600, 86_400] {
            for (start_ms, end_ms) in [
                (-62_135_596_800_000, 253_402_300_799_999),
                (0, now_ms),
                (now_ms - 60_000, now_ms),
                (now_ms, 253_402_300_799_999),
                (253_402_300_000_000, 253_402_300_799_999),
            ] {
                let (clamped_start, clamped_end) = clamped(start_ms, end_ms, period_s, now_ms);
                let periods = (clamped_end - clamped_start) / (i64::from(period_s) * 1000);
                assert!((0..=DATAPOINTS_PER_READ as i64).contains(&periods), "{period_s} {start_ms}");
                let moved = clamped_start - aligned_start(start_ms, period_s, now_ms);
                assert_eq!(moved % (i64::from(period_s) * 1000), 0);
            }
        }
    }
}
