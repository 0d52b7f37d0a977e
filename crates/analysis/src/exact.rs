use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Finite numbers that serialise bit for bit, as 16 hexadecimal digits each. Decimal fractions would depend on how
/// carefully a format's reader rounds, and a resumed judgement must not differ from one that never stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exact<const N: usize>(pub [f64; N]);

impl<const N: usize> Exact<N> {
    pub const ZERO: Exact<N> = Exact([0.0; N]);
}

impl<const N: usize> Deref for Exact<N> {
    type Target = [f64; N];
    fn deref(&self) -> &[f64; N] {
        &self.0
    }
}

impl<const N: usize> DerefMut for Exact<N> {
    fn deref_mut(&mut self) -> &mut [f64; N] {
        &mut self.0
    }
}

impl<const N: usize> Serialize for Exact<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(16 * N);
        for value in self.0 {
            write!(text, "{:016x}", value.to_bits()).expect("a String takes all that is written to it");
        }
        serializer.serialize_str(&text)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Exact<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom(format_args!("not {N} finite numbers of 16 hex digits")))
    }
}

fn parse<const N: usize>(text: &str) -> Option<Exact<N>> {
    if text.len() != 16 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut values = [0.0; N];
    for (i, value) in values.iter_mut().enumerate() {
        let bits = u64::from_str_radix(&text[16 * i..16 * (i + 1)], 16).ok()?;
        *value = Some(f64::from_bits(bits)).filter(|number| number.is_finite())?;
    }
    Some(Exact(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_comes_back() {
        let numbers = Exact([0.1 + 0.2, -0.0, f64::MIN_POSITIVE, -1.0e300]);
        let text = serde_json::to_string(&numbers).unwrap();
        let back: Exact<4> = serde_json::from_str(&text).unwrap();
        assert_eq!(back.0.map(f64::to_bits), numbers.0.map(f64::to_bits));
    }

    #[test]
    fn what_is_no_finite_number_is_refused() {
        for text in ["\"\"", "\"7ff8000000000000\"", "\"7ff0000000000000\"", "\"+000000000000000\"", "1.0"] {
            assert!(serde_json::from_str::<Exact<1>>(text).is_err(), "{text}");
        }
    }
}
