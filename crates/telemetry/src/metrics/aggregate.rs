use super::sketch::Part;
use super::{Range, Sketch, Stat};
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

    /// What is left without some of the samples: `part` was taken of the same as this, in series of its own. The two needn't have been
    /// taken at one moment, so the part may know of samples that aren't in this yet: nothing becomes less than nothing. Of the
    /// smallest and the largest sample that are left, where the part's is as small or as large, only the bucket is known.
    pub fn without(&self, part: &Aggregate) -> Aggregate {
        let sketch = self.sketch.without(&part.sketch);
        let unknown = (self.unknown - part.unknown).max(0.0);
        let count = sketch.weight() + unknown;
        if count == 0.0 {
            return Aggregate::default();
        }
        if part.count == 0.0 {
            return self.clone();
        }
        let about = |percent: f64, end: f64| {
            sketch.percentile(percent).map_or(end, |value| value.clamp(self.min, self.max))
        };
        Aggregate {
            count,
            sum: self.sum - part.sum,
            min: if part.min > self.min { self.min } else { about(0.0, self.min) },
            max: if part.max < self.max { self.max } else { about(100.0, self.max) },
            sketch,
            unknown,
        }
    }

    pub fn sample_count(&self) -> f64 {
        self.count
    }

    /// The distribution of those samples whose values are known one by one.
    pub fn sketch(&self) -> &Sketch {
        &self.sketch
    }

    /// The statistic; `None` without samples, and for what goes by their distribution when some came as a set of unlike
    /// values.
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
            _ if self.unknown > 0.0 => return None,
            Stat::Percentile(percent) => self.percentile(percent)?,
            Stat::TrimmedMean(range) => {
                let part = self.part(range);
                if part.weight > 0.0 { part.sum / part.weight } else { return None }
            }
            Stat::TrimmedCount(range) => self.part(range).weight,
            Stat::TrimmedSum(range) => self.part(range).sum,
            Stat::WinsorizedMean(range) => self.winsorized_mean(range)?,
            Stat::PercentileRank(range) => self.part(range).weight / self.count * 100.0,
        })
    }

    fn percentile(&self, percent: f64) -> Option<f64> {
        Some(self.sketch.percentile(percent)?.clamp(self.min, self.max))
    }

    fn part(&self, range: Range) -> Part {
        let part = self.sketch.part(range, (self.min, self.max));
        // Nothing is left out, so the sum is known better.
        if part.below + part.above > 0.0 { part } else { Part { sum: self.sum, ..part } }
    }

    fn winsorized_mean(&self, range: Range) -> Option<f64> {
        let part = self.part(range);
        let (low, high) = match range {
            Range::Percents { low, high } => (self.percentile(low)?, self.percentile(high)?),
            Range::Values { above, up_to } => (above.unwrap_or(self.min), up_to.unwrap_or(self.max)),
        };
        Some((part.below * low + part.sum + part.above * high) / self.count)
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
        let (mut aggregate, mut from) = Aggregate::decode_totals(bytes)?;
        aggregate.sketch = Sketch::decode(&mut from)?;
        from.rest().is_empty().then_some(aggregate)
    }

    /// All but the distribution, which is most of the work and which few statistics need; and what follows.
    pub(crate) fn decode_totals(bytes: &[u8]) -> Option<(Aggregate, Reader<'_>)> {
        let mut from = Reader::new(bytes);
        let mut number = || number(&mut from);
        let (count, sum, min, max, unknown) = (number()?, number()?, number()?, number()?, number()?);
        Some((Aggregate { count, sum, min, max, sketch: Sketch::default(), unknown }, from))
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
    fn without_a_part_the_rest_is_as_if_alone() {
        let (mut base, mut canary) = (Aggregate::default(), Aggregate::default());
        (1..=100).for_each(|value| base.add(f64::from(value), 1.0));
        (0..50).for_each(|_| canary.add(900.0, 1.0));
        canary.add(1.0, 2.0);
        let mut both = base.clone();
        both.merge(&canary);
        let left = both.without(&canary);
        for text in ["SampleCount", "Sum", "p1", "p50", "p95", "p99"] {
            let stat = Stat::parse(text).expect("a statistic");
            assert_eq!(left.stat(stat), base.stat(stat), "{text}");
        }
        for text in ["Minimum", "Maximum", "p100"] {
            let stat = Stat::parse(text).expect("a statistic");
            let (left, alone) = (left.stat(stat).expect("known"), base.stat(stat).expect("known"));
            assert!((left - alone).abs() <= 0.01 * alone, "{text}: {left}");
        }
        assert_eq!(both.without(&Aggregate::default()), both);
        assert_eq!(both.without(&both), Aggregate::default());
        // The part was looked at later: what it has too much takes nothing from other buckets.
        canary.add(900.0, 7.0);
        canary.add(5000.0, 1.0);
        assert_eq!(both.without(&canary).stat(Stat::SampleCount), Some(100.0));
        assert_eq!(Aggregate::default().without(&canary), Aggregate::default());
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

    #[test]
    fn parts_of_the_samples_are_told_as_the_definitions_say() {
        let mut aggregate = Aggregate::default();
        (1..=10).for_each(|value| aggregate.add(f64::from(value) * 10.0, 1.0));
        for (text, expected) in [
            ("tm90", 50.0),
            ("tc90", 9.0),
            ("ts90", 450.0),
            ("wm90", 54.0),
            ("IQM", 55.0),
            ("TM(10%:90%)", 55.0),
            ("WM(20%:80%)", 53.0),
            ("TC(20:50)", 3.0),
            ("TS(20:50)", 120.0),
            ("TM(:50)", 30.0),
            ("TM(95:)", 100.0),
            ("WM(30:80)", 55.0),
            ("PR(:30)", 30.0),
            ("PR(30:)", 70.0),
            ("PR(20:60)", 40.0),
            ("PR(:1000)", 100.0),
            ("TC(1000:)", 0.0),
            ("TS(:5)", 0.0),
            ("TM(0%:100%)", 55.0),
            ("p0", 10.0),
        ] {
            let found = aggregate.stat(Stat::parse(text).expect(text)).expect(text);
            assert!((found - expected).abs() <= 0.01 * expected, "{text}: {found}, expected {expected}");
        }
        assert_eq!(
            aggregate.stat(Stat::parse("TM(1000:)").expect("a statistic")),
            None,
            "the mean of nothing"
        );
        let mut single = Aggregate::default();
        single.add(301.0, 4.0);
        for (text, expected) in
            [("tm90", 301.0), ("PR(:300)", 0.0), ("PR(300:)", 100.0), ("TC(301:)", 0.0), ("IQM", 301.0)]
        {
            assert_eq!(single.stat(Stat::parse(text).expect(text)), Some(expected), "{text}");
        }
    }

    /// The samples between two ranks, as the nearest ranks say.
    fn trimmed(sorted: &[f64], low: f64, high: f64) -> &[f64] {
        let count = sorted.len() as f64;
        let low = (low / 100.0 * count * (1.0 + 1e-12)).floor() as usize;
        &sorted[low..((high / 100.0 * count * (1.0 - 1e-12)).ceil() as usize).max(low)]
    }

    proptest! {
        #[test]
        fn parts_are_within_one_percent(
            values in proptest::collection::vec((-20.0f64..20.0).prop_map(f64::exp2), 1..150),
            low in 0u32..50, high in 51u32..=100,
        ) {
            let mut aggregate = Aggregate::default();
            values.iter().for_each(|&value| aggregate.add(value, 1.0));
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let kept = trimmed(&sorted, f64::from(low), f64::from(high));
            let sum: f64 = kept.iter().sum();
            let range = Range::Percents { low: f64::from(low), high: f64::from(high) };
            prop_assert_eq!(aggregate.stat(Stat::TrimmedCount(range)), Some(kept.len() as f64));
            let near = |stat, exact: f64| {
                let found: f64 = aggregate.stat(stat).expect("known");
                prop_assert!((found - exact).abs() <= 0.01 * exact, "{:?}: {} for {}", stat, found, exact);
                Ok(())
            };
            near(Stat::TrimmedSum(range), sum)?;
            if !kept.is_empty() {
                near(Stat::TrimmedMean(range), sum / kept.len() as f64)?;
            }
        }

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
