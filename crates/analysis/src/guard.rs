//! The error budget of one arm alone, for the time when there is nothing to compare it with.

use libm::{exp, log, log1p};
use serde::{Deserialize, Serialize};

use crate::Arm;
use crate::exact::Exact;
use crate::grid::geometric;
use crate::log_space::log_sum_exp;

const POINTS: usize = 16;

/// An e-process against the null "the event rate is at most the budget". 16 alternatives, geometric from twice the
/// budget to 0.999, all alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SloGuard {
    budget: Exact<1>,
    /// Per alternative: `ln(t/budget)`, then `ln((1-t)/(1-budget))`.
    events: Exact<POINTS>,
    quiets: Exact<POINTS>,
    logs: Exact<POINTS>,
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
        Some(SloGuard { budget: Exact([budget]), events, quiets, logs: Exact::ZERO })
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
