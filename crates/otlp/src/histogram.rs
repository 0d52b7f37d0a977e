//! The distribution of samples as OTLP's exponential histogram: buckets whose bounds are powers of 2^(2^-scale).
//!
//! Telemetry's sketches cut powers of two into equal parts, so each of their buckets is put where its representative lies: a sample's
//! own value is at most 1 % away from that. Count, sum and extremes are exact.

use std::collections::BTreeMap;

use pitbird_telemetry::metrics::{Aggregate, Stat};

use crate::message::{Buckets, ExponentialHistogramDataPoint};

/// Buckets of one sign at most; where there would be more, each two become one. Source: OpenTelemetry's SDK specification, "Base2
/// Exponential Bucket Histogram Aggregation".
const BUCKETS_MAX: i32 = 160;
/// With this scale a bucket is 2.2 % wide, which is as fine as sketches are.
const FINEST_SCALE: i32 = 5;
/// All that a double can be fits into two buckets.
const COARSEST_SCALE: i32 = -10;

/// All samples of one series.
#[derive(Debug, Clone)]
pub struct Histogram {
    scale: i32,
    positive: BTreeMap<i32, f64>,
    negative: BTreeMap<i32, f64>,
    zero: f64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            scale: FINEST_SCALE,
            positive: BTreeMap::new(),
            negative: BTreeMap::new(),
            zero: 0.0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Histogram {
    /// Adds samples. Those that came as a statistic set, of which nobody knows the values, are put where their mean is.
    pub fn add(&mut self, samples: &Aggregate) {
        let number = |stat| samples.stat(stat).unwrap_or_default();
        let (count, sum) = (number(Stat::SampleCount), number(Stat::Sum));
        if count <= 0.0 {
            return;
        }
        let (min, max) = (number(Stat::Minimum), number(Stat::Maximum));
        (self.min, self.max, self.sum) = (self.min.min(min), self.max.max(max), self.sum + sum);
        let (mut known, mut known_sum) = (0.0, 0.0);
        for (value, weight) in samples.sketch().buckets() {
            let value = value.clamp(min, max);
            (known, known_sum) = (known + weight, known_sum + value * weight);
            self.put(value, weight);
        }
        let unknown = count - known;
        if unknown >= 0.5 {
            self.put(((sum - known_sum) / unknown).clamp(min, max), unknown);
        }
    }

    fn put(&mut self, value: f64, weight: f64) {
        if value == 0.0 {
            self.zero += weight;
            return;
        }
        let index = index_of(value.abs(), self.scale);
        let buckets = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        *buckets.entry(index).or_default() += weight;
        while self.scale > COARSEST_SCALE && (is_too_wide(&self.positive) || is_too_wide(&self.negative)) {
            self.scale -= 1;
            self.positive = coarser(&self.positive);
            self.negative = coarser(&self.negative);
        }
    }

    /// As OTLP has it, without times and attributes. The sum is left out where samples are negative, since then it may fall.
    pub fn point(&self) -> ExponentialHistogramDataPoint {
        let (positive, negative) = (counts(&self.positive), counts(&self.negative));
        let zero_count = whole(self.zero);
        let in_buckets = |buckets: &Option<Buckets>| -> u64 {
            buckets.as_ref().map_or(0, |buckets| buckets.bucket_counts.iter().sum())
        };
        let count = zero_count + in_buckets(&positive) + in_buckets(&negative);
        ExponentialHistogramDataPoint {
            count,
            sum: (self.min >= 0.0).then_some(self.sum),
            scale: self.scale,
            zero_count,
            positive,
            negative,
            min: (count > 0).then_some(self.min),
            max: (count > 0).then_some(self.max),
            ..ExponentialHistogramDataPoint::default()
        }
    }
}

/// The bucket in which a value above 0 lies: bounds are 2^(index·2^-scale), the upper one belongs to it.
fn index_of(value: f64, scale: i32) -> i32 {
    (value.log2() * f64::from(scale).exp2()).ceil() as i32 - 1
}

fn is_too_wide(buckets: &BTreeMap<i32, f64>) -> bool {
    match (buckets.first_key_value(), buckets.last_key_value()) {
        (Some((first, _)), Some((last, _))) => last - first >= BUCKETS_MAX,
        _ => false,
    }
}

fn coarser(buckets: &BTreeMap<i32, f64>) -> BTreeMap<i32, f64> {
    let mut merged = BTreeMap::new();
    for (index, weight) in buckets {
        *merged.entry(index >> 1).or_default() += weight;
    }
    merged
}

fn counts(buckets: &BTreeMap<i32, f64>) -> Option<Buckets> {
    let (first, last) = (*buckets.first_key_value()?.0, *buckets.last_key_value()?.0);
    let count = |index| buckets.get(&index).copied().map_or(0, whole);
    Some(Buckets { offset: first, bucket_counts: (first..=last).map(count).collect() })
}

/// Weights may be fractions; counts may not.
fn whole(weight: f64) -> u64 {
    weight.round() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(samples: &[(f64, f64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (value, weight) in samples {
            let mut aggregate = Aggregate::default();
            aggregate.add(*value, *weight);
            histogram.add(&aggregate);
        }
        histogram
    }

    /// The bounds of each bucket of positive values, and how many are in it.
    fn positive(point: &ExponentialHistogramDataPoint) -> Vec<(f64, f64, u64)> {
        let bound = |index: i32| (f64::from(index) * f64::from(-point.scale).exp2()).exp2();
        let buckets = point.positive.clone().unwrap_or_default();
        let indexed = (buckets.offset..).zip(buckets.bucket_counts);
        indexed.filter(|one| one.1 > 0).map(|(at, count)| (bound(at), bound(at + 1), count)).collect()
    }

    #[test]
    fn samples_lie_in_their_buckets() {
        let point = histogram(&[(1.5, 3.0), (100.0, 1.0), (0.0, 2.0), (-4.0, 1.0)]).point();
        assert_eq!((point.count, point.zero_count), (7, 2));
        assert_eq!((point.min, point.max, point.sum), (Some(-4.0), Some(100.0), None), "a sum that may fall");
        assert_eq!(point.negative.as_ref().map(|buckets| buckets.bucket_counts.iter().sum()), Some(1_u64));
        let buckets = positive(&point);
        assert_eq!(buckets.iter().map(|bucket| bucket.2).collect::<Vec<_>>(), [3, 1]);
        for ((low, high, _), value) in buckets.iter().zip([1.5, 100.0]) {
            assert!(low / 1.02 < value && value < high * 1.02, "{value} in {low}..{high}");
        }
        assert_eq!(histogram(&[(2.0, 2.0), (3.0, 1.0)]).point().sum, Some(7.0));
        assert_eq!(Histogram::default().point().min, None);
    }

    #[test]
    fn a_set_of_unknown_values_lies_at_its_mean() {
        let mut histogram = histogram(&[(10.0, 2.0)]);
        let mut set = Aggregate::default();
        set.add_set(4.0, 80.0, 10.0, 40.0);
        histogram.add(&set);
        let point = histogram.point();
        assert_eq!((point.count, point.sum, point.max), (6, Some(100.0), Some(40.0)));
        let buckets = positive(&point);
        assert_eq!(buckets.iter().map(|bucket| bucket.2).collect::<Vec<_>>(), [2, 4]);
        assert!(buckets[1].0 < 20.2 && 19.8 < buckets[1].1);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_counted_within_the_bound(
            samples in proptest::collection::vec((proptest::num::f64::NORMAL | proptest::num::f64::ZERO, 1..5_u32), 1..60),
        ) {
            let samples: Vec<_> = samples.into_iter().map(|(value, weight)| (value / 1e10, f64::from(weight))).collect();
            let point = histogram(&samples).point();
            let wanted: f64 = samples.iter().map(|sample| sample.1).sum();
            prop_assert_eq!(point.count, wanted as u64);
            for buckets in [point.positive, point.negative].into_iter().flatten() {
                prop_assert!(buckets.bucket_counts.len() <= BUCKETS_MAX as usize);
            }
        }
    }
}
