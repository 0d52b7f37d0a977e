//! One metric's samples as the data plane takes them: a few additions and one bucket, no hashing, no search.

use super::{Aggregate, Sketch};

/// Parts that each power of two is cut into, as a power of two.
const PART_BITS: u32 = 6;
/// CloudWatch takes values from 2^-360 to 2^360 and their negatives. Source: PutMetricData.
const EXPONENT_MAX: i32 = 360;
/// Key of the bucket that starts at 2^-360, less one; keys of positive values start at 1.
const KEY_BASE: i32 = (1023 - EXPONENT_MAX) << PART_BITS;
/// Largest key: the bucket that starts at 2^360.
const KEY_MAX: i32 = ((2 * EXPONENT_MAX) << PART_BITS) + 1;

/// The bucket of a value: 0 for zero and what is closer to zero than 2^-360, mirrored for negatives. Values beyond
/// 2^360 count as 2^360.
pub(crate) fn key_of(value: f64) -> i32 {
    let magnitude = (value.abs().to_bits() >> (52 - PART_BITS)) as i32 - KEY_BASE + 1;
    let key = magnitude.clamp(0, KEY_MAX);
    if value < 0.0 { -key } else { key }
}

/// The value that stands for a bucket: no value in it is further away than 1/129 of itself.
pub(crate) fn value_of(key: i32) -> f64 {
    if key == 0 {
        return 0.0;
    }
    let edge = |key: i32| f64::from_bits(((key - 1 + KEY_BASE) as u64) << (52 - PART_BITS));
    let (low, high) = (edge(key.abs()), edge(key.abs() + 1));
    // 2·low·high/(low+high), in an order that neither overflows nor vanishes.
    let value = low * (2.0 * high / (low + high));
    if key < 0 { -value } else { value }
}

/// Buckets beside each other that one meter keeps as an array: 48 powers of two, 12 KiB. What is further away goes
/// to a sketch.
const ARRAY_MAX: usize = 48 << PART_BITS;

/// Samples of one metric in one period, on one shard.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub count: u64,
    pub sum: f64,
    min: f64,
    max: f64,
    zeros: u64,
    /// Key of `array[0]`.
    first: i32,
    array: Vec<u32>,
    outside: Sketch,
}

impl Meter {
    /// Takes one sample, which is finite.
    #[inline]
    pub fn take(&mut self, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        self.count += 1;
        self.sum += value;
        if value == 0.0 {
            self.zeros += 1;
            return;
        }
        let key = key_of(value);
        match self.array.get_mut(key.wrapping_sub(self.first) as usize) {
            Some(bucket) => *bucket += 1,
            None => self.take_outside(key),
        }
    }

    #[cold]
    fn take_outside(&mut self, key: i32) {
        let low = if self.array.is_empty() { key } else { self.first.min(key) };
        let high =
            if self.array.is_empty() { key } else { key.max(self.first + self.array.len() as i32 - 1) };
        if key <= 0 || (high - low) as usize >= ARRAY_MAX {
            return self.outside.add_key(key, 1.0);
        }
        // A little room on both sides, since neighbours come next.
        let room = if self.array.is_empty() { 0 } else { 16 };
        let low = (low - room).max(1);
        let mut array = vec![0; (high + room + 1 - low) as usize];
        if !self.array.is_empty() {
            let shift = (self.first - low) as usize;
            array[shift..shift + self.array.len()].copy_from_slice(&self.array);
        }
        (self.first, self.array) = (low, array);
        self.array[(key - low) as usize] += 1;
    }

    /// Adds what was taken to an aggregate.
    pub fn drain_into(&self, aggregate: &mut Aggregate) {
        if self.count == 0 {
            return;
        }
        let mut sketch = Sketch::default();
        if self.zeros > 0 {
            sketch.add_key(0, self.zeros as f64);
        }
        for (place, &weight) in self.array.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            sketch.add_key(self.first + place as i32, f64::from(weight));
        }
        sketch.merge(&self.outside);
        aggregate.merge(&Aggregate::measured(self.count as f64, self.sum, self.min, self.max, sketch));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_grow_with_values_over_the_whole_range() {
        assert_eq!(key_of(0.0), 0);
        assert_eq!(key_of((-360f64).exp2()), 1);
        assert_eq!(key_of(360f64.exp2()), KEY_MAX);
        assert_eq!(key_of(f64::MAX), KEY_MAX);
        assert_eq!(key_of(f64::MIN_POSITIVE), 0);
        assert_eq!(key_of(-5.0), -key_of(5.0));
        assert!(key_of(1.0) < key_of(1.02) && key_of(1.99) < key_of(2.0));
    }

    proptest! {
        #[test]
        fn a_meter_drains_to_what_it_took(values in proptest::collection::vec(
            prop_oneof![Just(0.0), 0.001f64..10_000.0, (-300.0f64..300.0).prop_map(f64::exp2), -5.0f64..0.0], 1..100)
        ) {
            let mut meter = Meter::default();
            let mut expected = Aggregate::default();
            for &value in &values {
                meter.take(value);
                expected.add(value, 1.0);
            }
            let mut drained = Aggregate::default();
            meter.drain_into(&mut drained);
            prop_assert_eq!(drained, expected);
        }
    }
}
