use super::{Band, Rule};
use crate::metrics::Datapoint;

/// Periods that are looked at beyond those that are judged, in case some of these are missing. CloudWatch's documentation
/// has five for three; alarms of one period were seen to wait for three.
const SPARE_PERIODS: i64 = 2;

/// The time that an evaluation looks at: whole periods, the last of them just over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start_ms: i64,
    /// Exclusive.
    pub end_ms: i64,
    pub(super) period_ms: i64,
}

impl Window {
    /// Periods of a minute or more end with a minute, whatever their length; shorter ones with a multiple of themselves.
    pub fn at(rule: &Rule, now_ms: i64) -> Window {
        let period_ms = i64::from(rule.period_s.max(1)) * 1000;
        let step_ms = period_ms.min(60_000);
        let end_ms = now_ms.div_euclid(step_ms) * step_ms;
        let periods = i64::from(rule.evaluation_periods.max(1)) + SPARE_PERIODS;
        Window { start_ms: end_ms - periods * period_ms, end_ms, period_ms }
    }

    /// How many periods ago: 1 for the last; `None` outside.
    pub(super) fn age(&self, at_ms: i64) -> Option<usize> {
        let inside = (self.start_ms..self.end_ms).contains(&at_ms);
        inside.then(|| ((self.end_ms - 1 - at_ms) / self.period_ms) as usize + 1)
    }

    /// The start of the period of an age.
    pub(super) fn start_of(&self, age: usize) -> i64 {
        self.end_ms - age as i64 * self.period_ms
    }
}

/// A datapoint that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The period's start.
    pub at_ms: i64,
    pub value: f64,
    /// `None` where metric math gives the value.
    pub sample_count: Option<f64>,
    /// What is expected, where the threshold is a band.
    pub band: Option<Band>,
}

/// The points in what [`Rule::query`] has found: one statistic, by its place among the query's, of the unit that was measured last.
pub fn points(found: &[Datapoint], statistic: usize) -> Vec<Point> {
    let Some(unit) = found.iter().max_by_key(|datapoint| datapoint.at_ms).map(|newest| newest.unit) else {
        return Vec::new();
    };
    let of_unit = found.iter().filter(|datapoint| datapoint.unit == unit);
    of_unit
        .filter_map(|datapoint| {
            let value = datapoint.values.get(statistic).copied().flatten()?;
            Some(Point {
                at_ms: datapoint.at_ms,
                value,
                sample_count: Some(datapoint.sample_count),
                band: None,
            })
        })
        .collect()
}
