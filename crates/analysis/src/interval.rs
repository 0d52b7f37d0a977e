//! Confidence sequences for reports: intervals that hold at all times at once.

use libm::{lgamma, log, log1p};
use serde::{Deserialize, Serialize};

use crate::Arm;
use crate::log_space::threshold;

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Where an arm's event rate lies, with probability `1 - alpha` at all times at once. The mixture over rates is
/// Beta(1/2, 1/2). [0, 1] without requests.
pub fn rate(arm: Arm, alpha: f64) -> Interval {
    let (n, k, quiet) = (arm.n(), arm.k(), arm.quiet());
    if arm.requests() == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let mixture = ln_beta(0.5 + k, 0.5 + quiet) - ln_beta(0.5, 0.5);
    let floor = mixture - threshold(alpha);
    // Kept where the likelihood stays above the floor; it has one peak, at k/n.
    let above = |p: f64| {
        let events = if k > 0.0 { k * log(p) } else { 0.0 };
        let quiets = if quiet > 0.0 { quiet * log1p(-p) } else { 0.0 };
        events + quiets - floor
    };
    let peak = (k / n).clamp(1.0e-300, 1.0 - 1.0e-16);
    let low = if k == 0.0 { 0.0 } else { crossing(above, 1.0e-300, peak) };
    let high = if quiet == 0.0 { 1.0 } else { crossing(above, 1.0 - 1.0e-16, peak) };
    Interval { low, high }
}

/// Which two values of a sorted sample enclose a quantile, as 1-based ranks. Rank 0 means no lower bound yet, rank
/// `n + 1` no upper one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranks {
    pub low: u64,
    pub high: u64,
}

/// The ranks that enclose the `p`-quantile of a sample of `n`, with probability `1 - alpha` at all times at once: the
/// values at which `p` lies inside the interval for the distribution function.
pub fn quantile_ranks(n: u64, p: f64, alpha: f64) -> Ranks {
    let at = |k: u64| rate(Arm::new(n, k).expect("k is at most n"), alpha);
    // Both ends of the interval rise with k.
    let low = first(0, n, |k| at(k).high >= p).unwrap_or(0);
    let high = first(0, n, |k| at(k).low > p).unwrap_or(n + 1);
    Ranks { low, high }
}

/// The smallest number from `low` to `high` that satisfies a condition which never turns false again.
fn first(mut low: u64, high: u64, condition: impl Fn(u64) -> bool) -> Option<u64> {
    if !condition(high) {
        return None;
    }
    let mut last = high;
    while low < last {
        let middle = low + (last - low) / 2;
        if condition(middle) {
            last = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(last)
}

/// Where a function changes sign between `below` (negative there) and `above`, to the last bit.
pub(crate) fn crossing(f: impl Fn(f64) -> f64, mut below: f64, mut above: f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (below + above);
        if middle == below || middle == above {
            break;
        }
        if f(middle) < 0.0 {
            below = middle;
        } else {
            above = middle;
        }
    }
    0.5 * (below + above)
}

fn ln_beta(a: f64, b: f64) -> f64 {
    lgamma(a) + lgamma(b) - lgamma(a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_seen_is_nothing_known() {
        assert_eq!(rate(Arm::default(), 0.05), Interval { low: 0.0, high: 1.0 });
        assert_eq!(quantile_ranks(0, 0.5, 0.05), Ranks { low: 0, high: 1 });
        assert_eq!(quantile_ranks(3, 0.5, 0.05), Ranks { low: 0, high: 4 });
    }

    #[test]
    fn more_requests_narrow_the_interval() {
        let few = rate(Arm::new(100, 1).unwrap(), 0.05);
        let many = rate(Arm::new(10_000, 100).unwrap(), 0.05);
        assert!(few.low < many.low && many.high < few.high && many.low < 0.01 && 0.01 < many.high);
    }
}
