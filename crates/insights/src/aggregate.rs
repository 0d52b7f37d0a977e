//! What `stats` adds up. Each accumulator of a part of the events merges with those of other parts.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::value::{Value, compare, sort_order};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Aggregate {
    /// Events, or those that have the field.
    Count,
    CountDistinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    Percentile(f64),
    Deviation,
    Earliest,
    Latest,
    SortsFirst,
    SortsLast,
}

impl Aggregate {
    /// By its name in lower case; `pct` has its percent to come.
    pub fn named(name: &str) -> Option<Aggregate> {
        Some(match name.to_ascii_lowercase().as_str() {
            "count" => Aggregate::Count,
            "count_distinct" => Aggregate::CountDistinct,
            "sum" => Aggregate::Sum,
            "avg" => Aggregate::Average,
            "min" => Aggregate::Minimum,
            "max" => Aggregate::Maximum,
            "pct" => Aggregate::Percentile(0.0),
            "stddev" => Aggregate::Deviation,
            "earliest" => Aggregate::Earliest,
            "latest" => Aggregate::Latest,
            "sortsfirst" => Aggregate::SortsFirst,
            "sortslast" => Aggregate::SortsLast,
            _ => return None,
        })
    }

    pub fn start(self) -> Accumulator {
        match self {
            Aggregate::Count => Accumulator::Count(0),
            Aggregate::CountDistinct => Accumulator::Distinct(Distinct::Exact(HashSet::new())),
            Aggregate::Sum | Aggregate::Average => Accumulator::Sum { count: 0, sum: 0.0 },
            Aggregate::Percentile(_) => Accumulator::Samples(Samples::Exact(Vec::new())),
            Aggregate::Deviation => Accumulator::Moments { count: 0.0, mean: 0.0, squares: 0.0 },
            _ => Accumulator::One(None),
        }
    }
}

/// Distinct values that are counted exactly; beyond it the count is within some 2 % (standard error 1.04/√4096).
pub const DISTINCT_EXACT_MAX: usize = 10_000;
/// Samples whose percentiles are exact; beyond it a percentile is within 0.8 % of a sample.
pub const SAMPLES_EXACT_MAX: usize = 10_000;

#[derive(Debug, Clone)]
pub(crate) enum Accumulator {
    Count(u64),
    Distinct(Distinct),
    Sum {
        count: u64,
        sum: f64,
    },
    Samples(Samples),
    /// Welford's: the count, the mean and the sum of squared differences from it.
    Moments {
        count: f64,
        mean: f64,
        squares: f64,
    },
    /// A value and when it was, time and id of its event.
    One(Option<((i64, u128), Value<'static>)>),
}

impl Accumulator {
    /// Takes a value of an event of time and id `when`; answers by how many bytes it grew.
    pub fn add(
        &mut self,
        how: Aggregate,
        value: Value<'_>,
        when: (i64, u128),
        hasher: &RandomState,
    ) -> usize {
        match self {
            Accumulator::Count(count) => *count += 1,
            Accumulator::Distinct(distinct) => return distinct.add(hasher.hash_one(&*value.text())),
            Accumulator::Sum { count, sum } => {
                if let Some(number) = value.number() {
                    *count += 1;
                    *sum += number;
                }
            }
            Accumulator::Samples(samples) => return value.number().map_or(0, |number| samples.add(number)),
            Accumulator::Moments { count, mean, squares } => {
                if let Some(number) = value.number() {
                    *count += 1.0;
                    let difference = number - *mean;
                    *mean += difference / *count;
                    *squares += difference * (number - *mean);
                }
            }
            Accumulator::One(kept) => {
                let is_better = match kept {
                    Some((then, old)) => is_better(how, (&value, when), (old, *then)),
                    None => true,
                };
                if is_better {
                    let before = kept.as_ref().map_or(0, |(_, old)| old.heap_bytes());
                    let value = value.into_owned();
                    let after = value.heap_bytes();
                    *kept = Some((when, value));
                    return after.saturating_sub(before);
                }
            }
        }
        0
    }

    /// Takes what another part of the events has added up; answers by how many bytes it grew.
    pub fn merge(&mut self, how: Aggregate, other: Accumulator) -> usize {
        match (self, other) {
            (Accumulator::Count(count), Accumulator::Count(more)) => *count += more,
            (Accumulator::Sum { count, sum }, Accumulator::Sum { count: more, sum: added }) => {
                *count += more;
                *sum += added;
            }
            (Accumulator::Distinct(distinct), Accumulator::Distinct(more)) => return distinct.merge(more),
            (Accumulator::Samples(samples), Accumulator::Samples(more)) => return samples.merge(more),
            (
                Accumulator::Moments { count, mean, squares },
                Accumulator::Moments { count: more, mean: other_mean, squares: other_squares },
            ) if more > 0.0 => {
                let (all, difference) = (*count + more, other_mean - *mean);
                *squares += other_squares + difference * difference * *count * more / all;
                *mean += difference * more / all;
                *count = all;
            }
            (Accumulator::One(kept), Accumulator::One(Some((when, value)))) => {
                let is_better = match kept {
                    Some((then, old)) => is_better(how, (&value, when), (old, *then)),
                    None => true,
                };
                if is_better {
                    *kept = Some((when, value));
                }
            }
            _ => {}
        }
        0
    }

    pub fn result(&self, how: Aggregate) -> Option<Value<'static>> {
        match self {
            Accumulator::Count(count) => Some(Value::Int(*count as i64)),
            Accumulator::Distinct(distinct) => Some(Value::Int(distinct.count() as i64)),
            Accumulator::Sum { count: 0, .. } => None,
            Accumulator::Sum { count, sum } => match how {
                Aggregate::Average => Value::of(*sum / *count as f64),
                _ => Value::of(*sum),
            },
            Accumulator::Samples(samples) => match how {
                Aggregate::Percentile(percent) => Value::of(samples.percentile(percent)?),
                _ => None,
            },
            // Of the values that there are, not of what they might be a sample of.
            Accumulator::Moments { count, squares, .. } => {
                if *count > 0.0 {
                    Value::of((squares / count).max(0.0).sqrt())
                } else {
                    None
                }
            }
            Accumulator::One(kept) => match kept.as_ref()?.1.clone() {
                // Aggregated times are milliseconds. Source: seen on AWS, `earliest(@timestamp)`.
                Value::Time(at_ms) => Some(Value::Int(at_ms)),
                value => Some(value),
            },
        }
    }
}

type Dated<'v> = (&'v Value<'v>, (i64, u128));

fn is_better(how: Aggregate, new: Dated<'_>, old: Dated<'_>) -> bool {
    use std::cmp::Ordering::{Greater, Less};
    // A number counts for more than what is none.
    let by_value = || compare(new.0, old.0).unwrap_or_else(|| sort_order(Some(new.0), Some(old.0)));
    match how {
        Aggregate::Minimum => match (new.0.number().is_some(), old.0.number().is_some()) {
            (true, false) => true,
            (false, true) => false,
            _ => by_value() == Less,
        },
        Aggregate::Maximum => by_value() == Greater,
        Aggregate::Earliest => new.1 < old.1,
        Aggregate::Latest => new.1 > old.1,
        Aggregate::SortsFirst => sort_order(Some(new.0), Some(old.0)) == Less,
        Aggregate::SortsLast => sort_order(Some(new.0), Some(old.0)) == Greater,
        _ => false,
    }
}

/// How many registers a sketch has.
const REGISTERS: usize = 4096;

/// Values told apart by their hashes: each one up to a bound, then a HyperLogLog sketch.
#[derive(Debug, Clone)]
pub(crate) enum Distinct {
    Exact(HashSet<u64>),
    Sketch(Box<[u8; REGISTERS]>),
}

impl Distinct {
    fn add(&mut self, hash: u64) -> usize {
        match self {
            Distinct::Exact(hashes) => {
                let is_new = hashes.insert(hash);
                if hashes.len() > DISTINCT_EXACT_MAX {
                    self.become_sketch();
                }
                usize::from(is_new) * 16
            }
            Distinct::Sketch(registers) => {
                note(registers, hash);
                0
            }
        }
    }

    fn become_sketch(&mut self) {
        if let Distinct::Exact(hashes) = self {
            let mut registers = Box::new([0; REGISTERS]);
            hashes.iter().for_each(|hash| note(&mut registers, *hash));
            *self = Distinct::Sketch(registers);
        }
    }

    fn merge(&mut self, mut other: Distinct) -> usize {
        if let (Distinct::Exact(_), Distinct::Sketch(_)) = (&*self, &other) {
            std::mem::swap(self, &mut other);
        }
        match other {
            Distinct::Exact(hashes) => hashes.into_iter().map(|hash| self.add(hash)).sum(),
            Distinct::Sketch(more) => {
                if let Distinct::Sketch(registers) = self {
                    registers
                        .iter_mut()
                        .zip(more.iter())
                        .for_each(|(mine, other)| *mine = (*mine).max(*other));
                }
                0
            }
        }
    }

    fn count(&self) -> u64 {
        match self {
            Distinct::Exact(hashes) => hashes.len() as u64,
            Distinct::Sketch(registers) => {
                let count = REGISTERS as f64;
                let sum: f64 = registers.iter().map(|rank| 0.5f64.powi(i32::from(*rank))).sum();
                let estimate = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
                let empty = registers.iter().filter(|rank| **rank == 0).count();
                // Few values: how many registers are empty says more. Source: Flajolet and others, HyperLogLog.
                if estimate <= 2.5 * count && empty > 0 {
                    return (count * (count / empty as f64).ln()).round() as u64;
                }
                estimate.round() as u64
            }
        }
    }
}

fn note(registers: &mut [u8; REGISTERS], hash: u64) {
    let place = (hash >> 52) as usize;
    let rank = ((hash << 12) | (1 << 11)).leading_zeros() as u8 + 1;
    registers[place] = registers[place].max(rank);
}

/// Numbers for percentiles: each one up to a bound, then counts of buckets that are 1/64 of a power of two wide.
#[derive(Debug, Clone)]
pub(crate) enum Samples {
    Exact(Vec<f64>),
    Buckets(BTreeMap<i32, u64>),
}

impl Samples {
    fn add(&mut self, number: f64) -> usize {
        match self {
            Samples::Exact(numbers) => {
                numbers.push(number);
                if numbers.len() > SAMPLES_EXACT_MAX {
                    let mut buckets = BTreeMap::new();
                    numbers.iter().for_each(|number| *buckets.entry(bucket(*number)).or_default() += 1);
                    *self = Samples::Buckets(buckets);
                }
                16
            }
            Samples::Buckets(buckets) => {
                let before = buckets.len();
                *buckets.entry(bucket(number)).or_default() += 1;
                (buckets.len() - before) * 32
            }
        }
    }

    fn merge(&mut self, mut other: Samples) -> usize {
        if let (Samples::Exact(_), Samples::Buckets(_)) = (&*self, &other) {
            std::mem::swap(self, &mut other);
        }
        match other {
            Samples::Exact(numbers) => numbers.into_iter().map(|number| self.add(number)).sum(),
            Samples::Buckets(more) => {
                if let Samples::Buckets(buckets) = self {
                    more.into_iter().for_each(|(key, count)| *buckets.entry(key).or_default() += count);
                }
                0
            }
        }
    }

    /// The value at or below which `percent` of the samples lie, by nearest rank.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let rank = |count: u64| {
            ((percent / 100.0 * count as f64 * (1.0 - 1e-12)).ceil() as u64).clamp(1, count.max(1))
        };
        match self {
            Samples::Exact(numbers) => {
                let mut numbers = numbers.clone();
                let place = rank(numbers.len() as u64) as usize - 1;
                (place < numbers.len()).then(|| *numbers.select_nth_unstable_by(place, f64::total_cmp).1)
            }
            Samples::Buckets(buckets) => {
                let rank = rank(buckets.values().sum());
                let mut seen = 0;
                let mut found = buckets.iter().skip_while(|(_, count)| {
                    seen += **count;
                    seen < rank
                });
                found.next().map(|(key, _)| middle(*key))
            }
        }
    }
}

/// The bucket of a number: its exponent and six bits more; mirrored for negatives, 0 for zero.
fn bucket(number: f64) -> i32 {
    let key = (number.abs().to_bits() >> 46) as i32;
    if number < 0.0 { -key } else { key }
}

fn middle(key: i32) -> f64 {
    let edge = |key: i32| f64::from_bits((key as u64) << 46);
    let middle = if key == 0 { 0.0 } else { edge(key.abs()) / 2.0 + edge(key.abs() + 1) / 2.0 };
    if key < 0 { -middle } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_distinct_values_are_counted_nearly() {
        let hasher = RandomState::new();
        let mut parts = [Aggregate::CountDistinct.start(), Aggregate::CountDistinct.start()];
        for number in 0..40_000i64 {
            let part = &mut parts[number as usize % 2];
            part.add(Aggregate::CountDistinct, Value::Int(number), (0, 0), &hasher);
        }
        let [mut all, other] = parts;
        all.merge(Aggregate::CountDistinct, other);
        let Some(Value::Int(count)) = all.result(Aggregate::CountDistinct) else { panic!("a count") };
        assert!((36_000..44_000).contains(&count), "{count}");
    }

    #[test]
    fn percentiles_of_many_samples_are_near() {
        let how = Aggregate::Percentile(95.0);
        let mut all = how.start();
        for number in 1..=30_000i64 {
            all.add(how, Value::Int(number), (0, 0), &RandomState::new());
        }
        let found = all.result(how).and_then(|value| value.number()).expect("a percentile");
        assert!((found - 28_500.0).abs() < 0.008 * 28_500.0, "{found}");
    }
}
