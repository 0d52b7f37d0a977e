use super::{Sketch, Stat};
use crate::code::{Reader, put_f64, put_unsigned};

/// All samples of one series in one period. Merging two gives what their samples together would have given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Aggregate {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    /// Of the samples whose values are known one by one.
    sketch: Sketch,
    /// Samples that came as a statistic set, whose distribution nobody knows.
    unknown: f64,
}

impl Aggregate {
    pub(crate) fn measured(count: f64, sum: f64, min: f64, max: f64, sketch: Sketch) -> Aggregate {
        Aggregate { count, sum, min, max, sketch, unknown: 0.0 }
    }

    /// Adds `weight` samples of `value`. Both finite, weight above 0.
    pub fn add(&mut self, value: f64, weight: f64) {
        self.count_in(weight, value * weight, value, value);
        self.sketch.add(value, weight);
    }

    /// Adds a statistic set. Its distribution is known only when all its samples are equal.
    pub fn add_set(&mut self, count: f64, sum: f64, min: f64, max: f64) {
        self.count_in(count, sum, min, max);
        if count == 1.0 || min == max {
            self.sketch.add(min, count);
        } else {
            self.unknown += count;
        }
    }

    fn count_in(&mut self, count: f64, sum: f64, min: f64, max: f64) {
        if self.count == 0.0 {
            (self.min, self.max) = (min, max);
        } else {
            (self.min, self.max) = (self.min.min(min), self.max.max(max));
        }
        self.count += count;
        self.sum += sum;
    }

    /// Makes this the aggregate of both sets of samples.
    pub fn merge(&mut self, other: &Aggregate) {
        if other.count == 0.0 {
            return;
        }
        self.count_in(other.count, other.sum, other.min, other.max);
        self.sketch.merge(&other.sketch);
        self.unknown += other.unknown;
    }

    pub fn sample_count(&self) -> f64 {
        self.count
    }

    /// The statistic; `None` without samples, and for percentiles when some samples came as a set of unlike values.
    pub fn stat(&self, stat: Stat) -> Option<f64> {
        if self.count == 0.0 {
            return None;
        }
        Some(match stat {
            Stat::SampleCount => self.count,
            Stat::Sum => self.sum,
            Stat::Average => self.sum / self.count,
            Stat::Minimum => self.min,
            Stat::Maximum => self.max,
            Stat::Percentile(_) if self.unknown > 0.0 => return None,
            Stat::Percentile(percent) => self.sketch.percentile(percent)?.clamp(self.min, self.max),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        for value in [self.count, self.sum, self.min, self.max, self.unknown] {
            put_number(&mut out, value);
        }
        self.sketch.encode(&mut out);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Aggregate> {
        let mut from = Reader::new(bytes);
        let mut number = || number(&mut from);
        let (count, sum, min, max, unknown) = (number()?, number()?, number()?, number()?, number()?);
        let sketch = Sketch::decode(&mut from)?;
        from.rest().is_empty().then_some(Aggregate { count, sum, min, max, sketch, unknown })
    }
}

/// Small whole numbers take a byte or three, others nine.
fn put_number(out: &mut Vec<u8>, value: f64) {
    let whole = value as u64;
    if whole as f64 == value && value.is_sign_positive() && whole < 1 << 53 {
        put_unsigned(out, whole + 1);
    } else {
        put_unsigned(out, 0);
        put_f64(out, value);
    }
}

fn number(from: &mut Reader<'_>) -> Option<f64> {
    match from.unsigned()? {
        0 => from.f64(),
        next => Some((next - 1) as f64),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stats(aggregate: &Aggregate) -> Vec<Option<f64>> {
        ["SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p100"]
            .map(|text| aggregate.stat(Stat::parse(text).expect("a statistic")))
            .to_vec()
    }

    #[test]
    fn values_and_counts_give_each_statistic() {
        let mut aggregate = Aggregate::default();
        aggregate.add(1.0, 3.0);
        aggregate.add(5.0, 1.0);
        let expected = [4.0, 8.0, 2.0, 1.0, 5.0, 1.0, 5.0].map(Some);
        assert_eq!(stats(&aggregate)[..5], expected[..5]);
        assert!((stats(&aggregate)[5].expect("known") - 1.0).abs() <= 0.01);
        assert_eq!(stats(&Aggregate::default()), [None; 7]);
    }

    #[test]
    fn a_set_of_unlike_values_has_no_percentile() {
        let mut aggregate = Aggregate::default();
        aggregate.add_set(1.0, 7.0, 7.0, 7.0);
        aggregate.add_set(3.0, 21.0, 7.0, 7.0);
        assert_eq!(aggregate.stat(Stat::Percentile(99.0)), Some(7.0));
        aggregate.add_set(2.0, 3.0, 1.0, 2.0);
        assert_eq!(aggregate.stat(Stat::Percentile(99.0)), None);
        assert_eq!(aggregate.stat(Stat::Sum), Some(31.0));
    }

    proptest! {
        #[test]
        fn an_aggregate_comes_back(values in proptest::collection::vec((-1e9f64..1e9, 0.5f64..9.0), 0..50)) {
            let mut aggregate = Aggregate::default();
            values.iter().for_each(|&(value, weight)| aggregate.add(value, weight));
            aggregate.add_set(2.0, 3.0, 1.0, 2.0);
            prop_assert_eq!(Aggregate::decode(&aggregate.encode()), Some(aggregate));
        }

        #[test]
        fn garbage_is_no_panic(bytes: Vec<u8>) {
            let _ = Aggregate::decode(&bytes);
        }
    }
}
