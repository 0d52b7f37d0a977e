use std::sync::atomic::{AtomicU64, Ordering};

use super::{CEILINGS_MAX, Request};

/// A request is below the lowest limit, or between two, or above all.
const BANDS: usize = CEILINGS_MAX + 1;

/// Warm requests of both arms by the limits that they are above. A request is one addition, and none where there is no
/// limit.
#[derive(Debug)]
pub struct Ceilings {
    /// Rising, with the place in the order they were given in.
    limits: Vec<(u64, usize)>,
    base: [AtomicU64; BANDS],
    canary: [AtomicU64; BANDS],
}

/// What was counted of each arm: warm requests, and those of them above each limit, as limits were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beyond {
    pub base: (u64, [u64; CEILINGS_MAX]),
    pub canary: (u64, [u64; CEILINGS_MAX]),
}

impl Ceilings {
    pub fn new(limits_us: &[u64]) -> Ceilings {
        let given = limits_us.iter().take(CEILINGS_MAX).enumerate();
        let mut limits: Vec<(u64, usize)> = given.map(|(place, limit)| (*limit, place)).collect();
        limits.sort_unstable();
        Ceilings { limits, base: Default::default(), canary: Default::default() }
    }

    pub fn record(&self, request: &Request<'_>, is_canary: bool) {
        if self.limits.is_empty() || request.is_cold {
            return;
        }
        let band = self.limits.partition_point(|(limit, _)| request.latency_us > *limit);
        let bands = if is_canary { &self.canary } else { &self.base };
        bands[band].fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> Beyond {
        Beyond { base: self.arm(&self.base), canary: self.arm(&self.canary) }
    }

    fn arm(&self, bands: &[AtomicU64; BANDS]) -> (u64, [u64; CEILINGS_MAX]) {
        let counts = bands.each_ref().map(|count| count.load(Ordering::Relaxed));
        let mut above = [0; CEILINGS_MAX];
        for (at, (_, place)) in self.limits.iter().enumerate() {
            above[*place] = counts[at + 1..].iter().sum();
        }
        (counts.iter().sum(), above)
    }
}

impl Beyond {
    #[must_use]
    pub fn since(self, told: Beyond) -> Beyond {
        let arm = |now: (u64, [u64; CEILINGS_MAX]), told: (u64, [u64; CEILINGS_MAX])| {
            (now.0.saturating_sub(told.0), std::array::from_fn(|at| now.1[at].saturating_sub(told.1[at])))
        };
        Beyond { base: arm(self.base, told.base), canary: arm(self.canary, told.canary) }
    }

    pub fn is_empty(self) -> bool {
        self == Beyond::default()
    }
}
