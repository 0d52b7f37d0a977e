//! The error budget of one arm alone, for the time when there is little to compare it with.
//!
//! The guard is an alarm, no verdict: an outage that both arms share rings it too. It may therefore be quick. With
//! [`SloGuard::restart`] before every look its number becomes that of a Shiryaev-Roberts e-detector: an arm within its
//! budget is expected to be looked at `1/alpha` times before the number reaches `1/alpha`, and a fault that begins
//! after hours of good service is met with no evidence that must first be worn down.

use libm::{exp, log, log1p};
use serde::{Deserialize, Serialize};

use crate::Arm;
use crate::exact::Exact;
use crate::grid::geometric;
use crate::log_space::log_sum_exp;

const POINTS: usize = 16;
/// No evidence at all: so little that a number of this size is the same as none.
const LEAST: f64 = -1.0e9;

/// An e-process against the null "the event rate is at most the budget". 16 alternatives, geometric from twice the
/// budget to 0.999, all alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SloGuard {
    budget: Exact<1>,
    /// Per alternative: `ln(t/budget)`, then `ln((1-t)/(1-budget))`.
    events: Exact<POINTS>,
    quiets: Exact<POINTS>,
    logs: Exact<POINTS>,
    /// Does a start before the first update count? Where every look begins one, none does.
    #[serde(default)]
    detects: bool,
}

impl SloGuard {
    /// A guard over an event rate from 1e-9 to 0.25; `None` for any other, which no alternative would suit.
    pub fn new(budget: f64) -> Option<SloGuard> {
        if !(1.0e-9..=0.25).contains(&budget) {
            return None;
        }
        let rates = geometric(log(2.0 * budget), log(0.999), POINTS);
        let (mut events, mut quiets) = (Exact::ZERO, Exact::ZERO);
        for (i, ln_rate) in rates.into_iter().enumerate() {
            events[i] = ln_rate - log(budget);
            quiets[i] = log1p(-exp(ln_rate)) - log1p(-budget);
        }
        Some(SloGuard { budget: Exact([budget]), events, quiets, logs: Exact::ZERO, detects: false })
    }

    /// The same as a detector: nothing counts that was seen before the first [`SloGuard::restart`].
    pub fn detector(budget: f64) -> Option<SloGuard> {
        let guard = SloGuard::new(budget)?;
        Some(SloGuard { logs: Exact([LEAST; POINTS]), detects: true, ..guard })
    }

    /// Lets another start begin, with full weight. Without effect on a guard that is no detector: there the sum of
    /// weights must stay 1.
    pub fn restart(&mut self) {
        if self.detects {
            for log in self.logs.iter_mut() {
                let (large, small) = if *log > 0.0 { (*log, 0.0) } else { (0.0, *log) };
                *log = large + log1p(exp(small - large));
            }
        }
    }

    pub fn budget(&self) -> f64 {
        self.budget[0]
    }

    pub fn update(&mut self, arm: Arm) {
        let (k, quiet) = (arm.k(), arm.quiet());
        for (i, log) in self.logs.iter_mut().enumerate() {
            *log += k * self.events[i] + quiet * self.quiets[i];
        }
    }

    /// The logarithm of the e-process now.
    pub fn log_e(&self) -> f64 {
        log_sum_exp(|| self.logs.iter().copied()) - log(POINTS as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(guard: &mut SloGuard, count: u64, arm: Arm) -> Option<u64> {
        (1..=count).find(|_| {
            guard.restart();
            guard.update(arm);
            guard.log_e() >= 11.5
        })
    }

    #[test]
    fn a_detector_finds_a_late_fault_at_once() {
        let (good, bad) = (Arm::new(950, 1).unwrap(), Arm::new(950, 48).unwrap());
        let mut guard = SloGuard::detector(0.01).unwrap();
        assert_eq!(looks(&mut guard, 3_600, good), None);
        assert_eq!(looks(&mut guard, 10, bad), Some(1));
    }

    #[test]
    fn a_plain_guard_has_one_start() {
        let mut guard = SloGuard::new(0.01).unwrap();
        guard.update(Arm::new(100, 1).unwrap());
        let before = guard.clone();
        guard.restart();
        assert_eq!(guard, before);
    }
}
