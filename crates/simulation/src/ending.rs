//! What became of releases, and what may be said of it.

use crate::model::Seen;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    Promoted,
    RolledBack,
    /// Neither, until nobody waited any longer.
    #[default]
    Held,
}

/// How one release ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ending {
    pub end: End,
    pub end_s: f64,
    /// When the canary first had most of the traffic.
    pub full_s: Option<f64>,
    pub onset_s: f64,
    pub extra_failures: f64,
    pub requests: u64,
    pub canary_requests: u64,
}

impl Ending {
    pub fn add(&mut self, seen: &Seen) {
        self.extra_failures += seen.extra_failures;
        self.requests += seen.requests;
        self.canary_requests += seen.canary_requests;
    }
}

/// A number and where it lies with 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// A share of runs, with Clopper's and Pearson's interval: 95 %, one-sided where nothing or everything was counted.
pub fn share(count: usize, runs: usize) -> Estimate {
    let (n, tail) = (runs as f64, if count == 0 || count == runs { 0.05 } else { 0.025 });
    let high = if count == runs { 1.0 } else { crossing(|p| at_most(count, runs, p) > tail) };
    let low = if count == 0 { 0.0 } else { crossing(|p| 1.0 - at_most(count - 1, runs, p) < tail) };
    Estimate { value: count as f64 / n.max(1.0), low, high }
}

/// A quantile of some numbers, with the order statistics that enclose it with about 95 %.
pub fn quantile(numbers: &[f64], p: f64) -> Option<Estimate> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let spread = 1.96 * libm::sqrt(n * p * (1.0 - p));
    let at = |rank: f64| sorted.get((rank.max(0.0) as usize).min(sorted.len().checked_sub(1)?)).copied();
    Some(Estimate {
        value: at(n * p)?,
        low: at((n * p - spread).floor())?,
        high: at((n * p + spread).ceil())?,
    })
}

/// The chance of at most `count` successes.
fn at_most(count: usize, runs: usize, p: f64) -> f64 {
    let n = runs as f64;
    let ln_term = |k: f64| {
        libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0)
            + k * libm::log(p)
            + (n - k) * libm::log1p(-p)
    };
    (0..=count).map(|k| libm::exp(ln_term(k as f64))).sum()
}

/// Where a condition that holds for small chances ceases to.
fn crossing(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (1.0e-12, 1.0 - 1.0e-12);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_exact_interval() {
        let none = share(0, 3000);
        assert!((none.high - (1.0 - libm::pow(0.05, 1.0 / 3000.0))).abs() < 1e-9, "{none:?}");
        let some = share(10, 100);
        assert!((some.low - 0.049_005).abs() < 1e-5 && (some.high - 0.176_223).abs() < 1e-5, "{some:?}");
        assert_eq!(share(5, 5).high, 1.0);
    }

    #[test]
    fn quantiles_come_with_their_neighbours() {
        let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
        let median = quantile(&numbers, 0.5).unwrap();
        assert_eq!((median.value, median.low, median.high), (500.0, 469.0, 531.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
