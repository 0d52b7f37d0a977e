use std::fmt;
use std::iter::Sum;
use std::ops::Add;

/// Thousand-millionths of a dollar in a dollar.
const NANO: u128 = 1_000_000_000;

/// An amount of money in thousand-millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Dollars(u128);

impl Dollars {
    pub fn from_nano(nano: u128) -> Dollars {
        Dollars(nano)
    }

    pub fn nano(self) -> u128 {
        self.0
    }
}

impl Add for Dollars {
    type Output = Dollars;

    fn add(self, other: Dollars) -> Dollars {
        Dollars(self.0.saturating_add(other.0))
    }
}

impl Sum for Dollars {
    fn sum<I: Iterator<Item = Dollars>>(all: I) -> Dollars {
        all.fold(Dollars::default(), Add::add)
    }
}

/// All digits that there are, two at least after the point: `12.50`, `0.0000035`.
impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:09}", self.0 % NANO);
        let kept = digits.trim_end_matches('0').len().max(2);
        f.pad(&format!("{}.{}", self.0 / NANO, &digits[..kept]))
    }
}
