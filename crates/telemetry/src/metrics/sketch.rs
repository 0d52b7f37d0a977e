//! The distribution of samples, mergeable, with at most 1 % relative error.
//!
//! Buckets are fixed for everybody, so that sketches merge by adding counts: every power of two is cut into 64 equal
//! parts. A bucket's representative is the value whose relative distance to both ends is the same, at most
//! 1/129 (0.78 %). The bucket of a value is read off its bits: exponent and the six highest bits of the mantissa.

use super::Range;
use super::meter::{key_of, value_of};
use crate::code::{Reader, put_f64, put_signed, put_unsigned};

/// What [`Sketch::part`] finds: weight and sum of what lies in the range, weight of what lies below and above it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Part {
    pub weight: f64,
    pub sum: f64,
    pub below: f64,
    pub above: f64,
}

/// Samples counted by bucket. Weights are exact up to 2^53.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sketch {
    /// Key of a bucket and its weight, by ascending key, no weight zero.
    buckets: Vec<(i32, f64)>,
}

impl Sketch {
    /// Adds `weight` samples of `value`. Both finite, weight above 0.
    pub fn add(&mut self, value: f64, weight: f64) {
        self.add_key(key_of(value), weight);
    }

    pub(crate) fn add_key(&mut self, key: i32, weight: f64) {
        match self.buckets.binary_search_by_key(&key, |bucket| bucket.0) {
            Ok(found) => self.buckets[found].1 += weight,
            Err(place) => self.buckets.insert(place, (key, weight)),
        }
    }

    /// Makes this the sketch of both sets of samples.
    pub fn merge(&mut self, other: &Sketch) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return;
        }
        if other.buckets.len() <= 2 {
            other.buckets.iter().for_each(|&(key, weight)| self.add_key(key, weight));
            return;
        }
        let mut merged = Vec::with_capacity(self.buckets.len() + other.buckets.len());
        let (mut ours, mut theirs) = (self.buckets.iter().peekable(), other.buckets.iter().peekable());
        while let (Some(&&a), Some(&&b)) = (ours.peek(), theirs.peek()) {
            merged.push(match a.0.cmp(&b.0) {
                std::cmp::Ordering::Less => a,
                std::cmp::Ordering::Greater => b,
                std::cmp::Ordering::Equal => (a.0, a.1 + b.1),
            });
            ours.next_if(|next| next.0 <= b.0);
            theirs.next_if(|next| next.0 <= a.0);
        }
        merged.extend(ours.chain(theirs));
        self.buckets = merged;
    }

    /// What is left without some of the samples. Where the part has more in a bucket than the whole, nothing is left of the bucket.
    pub fn without(&self, part: &Sketch) -> Sketch {
        let of_part = |key: i32| match part.buckets.binary_search_by_key(&key, |bucket| bucket.0) {
            Ok(found) => part.buckets[found].1,
            Err(_) => 0.0,
        };
        let left = self.buckets.iter().map(|&(key, weight)| (key, weight - of_part(key)));
        Sketch { buckets: left.filter(|(_, weight)| *weight > 0.0).collect() }
    }

    /// Each bucket's representative and its weight, by ascending value.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, f64)> {
        self.buckets.iter().map(|&(key, weight)| (value_of(key), weight))
    }

    /// All samples' weight.
    pub fn weight(&self) -> f64 {
        self.buckets.iter().map(|bucket| bucket.1).sum()
    }

    /// The value at or below which `percent` of the weight lies, by nearest rank; `None` when empty.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        // A tiny allowance keeps p29 of 100 samples at rank 29 although 29/100·100 is a little above 29 in binary.
        let rank = (percent / 100.0 * self.weight() * (1.0 - 1e-12)).max(0.0);
        let mut seen = 0.0;
        let mut last = None;
        for &(key, weight) in &self.buckets {
            seen += weight;
            last = Some(key);
            if seen >= rank {
                break;
            }
        }
        last.map(value_of)
    }

    /// What of the samples lies in a range. `bounds` are the smallest and the largest sample, between which all lie: no bucket
    /// stands for more or less.
    pub fn part(&self, range: Range, bounds: (f64, f64)) -> Part {
        let (skipped, taken) = match range {
            Range::Percents { low, high } => {
                let weight = self.weight();
                // By nearest rank, as percentiles are: the sample at each rank is counted wholly.
                let skipped = (low / 100.0 * weight * (1.0 + 1e-12)).floor();
                (skipped, (high / 100.0 * weight * (1.0 - 1e-12)).ceil().min(weight) - skipped)
            }
            Range::Values { above, up_to } => {
                let (low, high) = (self.weight_up_to(above, bounds), self.weight_up_to(up_to, bounds));
                (low.unwrap_or(0.0), high.unwrap_or_else(|| self.weight()) - low.unwrap_or(0.0))
            }
        };
        let mut part = Part { below: skipped, ..Part::default() };
        let (mut skip, mut take) = (skipped, taken.max(0.0));
        for &(key, weight) in &self.buckets {
            let skipped = weight.min(skip);
            let taken = (weight - skipped).min(take);
            skip -= skipped;
            take -= taken;
            part.weight += taken;
            part.sum += taken * value_of(key).clamp(bounds.0, bounds.1);
        }
        part.above = (self.weight() - part.below - part.weight).max(0.0);
        part
    }

    /// The weight of samples up to a value; its own bucket counts wholly where a sample may be as small. `None` without a value.
    fn weight_up_to(&self, value: Option<f64>, (min, max): (f64, f64)) -> Option<f64> {
        let value = value?;
        if value < min {
            return Some(0.0);
        }
        let last = if value >= max { i32::MAX } else { key_of(value) };
        Some(self.buckets.iter().take_while(|bucket| bucket.0 <= last).map(|bucket| bucket.1).sum())
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_unsigned(out, self.buckets.len() as u64);
        let mut before = 0;
        for &(key, weight) in &self.buckets {
            put_signed(out, i64::from(key) - before);
            before = i64::from(key);
            let whole = weight as u64;
            if whole as f64 == weight && whole < 1 << 53 {
                put_unsigned(out, whole);
            } else {
                // No bucket weighs nothing, so zero announces a weight that isn't whole.
                put_unsigned(out, 0);
                put_f64(out, weight);
            }
        }
    }

    pub(crate) fn decode(from: &mut Reader<'_>) -> Option<Sketch> {
        let count = from.unsigned()?;
        let mut buckets = Vec::with_capacity(usize::try_from(count).ok()?.min(4096));
        let mut key = 0i64;
        for _ in 0..count {
            key = key.checked_add(from.signed()?)?;
            let weight = match from.unsigned()? {
                0 => from.f64()?,
                whole => whole as f64,
            };
            buckets.push((i32::try_from(key).ok()?, weight));
        }
        Some(Sketch { buckets })
    }
}

#[cfg(test)]
mod tests;
