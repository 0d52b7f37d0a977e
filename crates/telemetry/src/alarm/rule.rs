use std::fmt;

use super::{Point, Window};
use crate::metrics::{Metric, MetricQuery, Stat, Unit};

/// A threshold on a metric or on what was reckoned from several: what PutMetricAlarm sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Of a metric; `None` where metric math gives the points.
    pub stat: Option<Stat>,
    /// The statistic as it was set, which StateReasonData tells: some have several spellings. Without it, `stat` in the longest.
    pub stat_text: Option<String>,
    /// Only datapoints of this unit; without it the unit that was measured last.
    pub unit: Option<Unit>,
    /// 10, 20, 30 or a multiple of 60.
    pub period_s: u32,
    /// N: datapoints that are judged; at least 1.
    pub evaluation_periods: u32,
    /// M: how many of them must breach, 1 to N. Unset it is N, and the reason is worded more briefly.
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: Threshold,
    pub missing_data: MissingData,
    pub low_samples: LowSamples,
}

/// What a datapoint breaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    Static(Comparison, f64),
    /// Of an anomaly detection model: each point's own. A point without a band doesn't breach.
    Band(Outside),
}

/// Between which values, inclusive, a point is as expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub lower: f64,
    pub upper: f64,
}

impl Rule {
    pub(super) fn needed(&self) -> usize {
        let judged = self.evaluation_periods.max(1);
        self.datapoints_to_alarm.unwrap_or(judged).clamp(1, judged) as usize
    }

    pub(super) fn judged(&self) -> usize {
        self.evaluation_periods.max(1) as usize
    }

    pub(super) fn breaches(&self, point: &Point) -> bool {
        match (self.threshold, point.band) {
            (Threshold::Static(comparison, threshold), _) => comparison.holds(point.value, threshold),
            (Threshold::Band(outside), Some(Band { lower, upper })) => {
                outside.is_below() && point.value < lower || outside.is_above() && point.value > upper
            }
            (Threshold::Band(_), None) => false,
        }
    }

    /// What of its metric has to be read to evaluate the rule at a time.
    pub fn query(&self, metric: Metric, now_ms: i64) -> MetricQuery {
        let window = Window::at(self, now_ms);
        MetricQuery {
            metric,
            unit: self.unit,
            period_s: self.period_s,
            start_ms: window.start_ms,
            end_ms: window.end_ms,
            stats: self.stat.into_iter().collect(),
            now_ms,
        }
    }
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$default:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($variant,)* }

        impl $name {
            /// AWS's word.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// Reads AWS's word; `None` for any other text.
            pub fn parse(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How a datapoint breaches a static threshold.
    Comparison {
        GreaterThan = "GreaterThanThreshold",
        GreaterThanOrEqual = "GreaterThanOrEqualToThreshold",
        LessThan = "LessThanThreshold",
        LessThanOrEqual = "LessThanOrEqualToThreshold",
    }
}

words! {
    /// On which side of its band a datapoint breaches.
    Outside {
        LowerOrUpper = "LessThanLowerOrGreaterThanUpperThreshold",
        Lower = "LessThanLowerThreshold",
        Upper = "GreaterThanUpperThreshold",
    }
}

words! {
    /// What counts for a datapoint that isn't there. AWS's default is `missing`.
    MissingData {
        Missing = "missing",
        Ignore = "ignore",
        Breaching = "breaching",
        NotBreaching = "notBreaching",
    }
}

words! {
    /// What a percentile of too few samples counts for. AWS's default is `evaluate`.
    LowSamples {
        Evaluate = "evaluate",
        Ignore = "ignore",
    }
}

words! {
    State {
        Ok = "OK",
        Alarm = "ALARM",
        InsufficientData = "INSUFFICIENT_DATA",
    }
}

impl Outside {
    pub(super) fn is_below(self) -> bool {
        self != Outside::Upper
    }

    pub(super) fn is_above(self) -> bool {
        self != Outside::Lower
    }
}

impl Comparison {
    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Comparison::GreaterThan => value > threshold,
            Comparison::GreaterThanOrEqual => value >= threshold,
            Comparison::LessThan => value < threshold,
            Comparison::LessThanOrEqual => value <= threshold,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Comparison::GreaterThan => "greater than",
            Comparison::GreaterThanOrEqual => "greater than or equal to",
            Comparison::LessThan => "less than",
            Comparison::LessThanOrEqual => "less than or equal to",
        }
    }
}
