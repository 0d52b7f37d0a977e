use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A share outside its range, or not a number.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{value} is not between 0 and {max}")]
pub struct ShareError {
    pub value: f64,
    pub max: f64,
}

/// A share of requests in percent, 0.0 to 100.0 inclusive.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent(f64);

impl Percent {
    pub fn new(value: f64) -> Result<Percent, ShareError> {
        in_range(value, 100.0).map(Percent)
    }

    pub fn get(self) -> f64 {
        self.0
    }

    /// Does a draw in [0, 1) fall into this share? 0 never takes one, 100 takes each.
    pub fn takes(self, draw: f64) -> bool {
        draw * 100.0 < self.0
    }
}

/// A share of invocations, 0.0 to 1.0 inclusive.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Weight(f64);

impl Weight {
    pub fn new(value: f64) -> Result<Weight, ShareError> {
        in_range(value, 1.0).map(Weight)
    }

    pub fn get(self) -> f64 {
        self.0
    }

    /// Does a draw in [0, 1) fall into this share? 0 never takes one, 1 takes each.
    pub fn takes(self, draw: f64) -> bool {
        draw < self.0
    }
}

fn in_range(value: f64, max: f64) -> Result<f64, ShareError> {
    if (0.0..=max).contains(&value) { Ok(value) } else { Err(ShareError { value, max }) }
}

macro_rules! share {
    ($($t:ident),*) => {$(
        impl TryFrom<f64> for $t {
            type Error = ShareError;
            fn try_from(value: f64) -> Result<Self, ShareError> {
                Self::new(value)
            }
        }
        impl From<$t> for f64 {
            fn from(share: $t) -> f64 {
                share.get()
            }
        }
    )*};
}
share!(Percent, Weight);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_never_drawn_and_all_always_is() {
        let just_below_one = 1.0 - f64::EPSILON;
        for draw in [0.0, 0.5, just_below_one] {
            assert!(!Percent::default().takes(draw) && !Weight::default().takes(draw));
            assert!(Percent::new(100.0).unwrap().takes(draw) && Weight::new(1.0).unwrap().takes(draw));
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for bad in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            assert!(Percent::new(bad).is_err());
        }
        assert!(Weight::new(1.01).is_err());
    }
}
