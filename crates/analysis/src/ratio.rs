//! How many times the base's event rate is the canary's? An interval that holds at all times at once.

use libm::{exp, log};
use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::grid::RATIOS;
use crate::interval::{Interval, crossing};
use crate::log_space::{log_sum_exp, threshold};
use crate::routes::stop_at_most;

/// Different configured weights kept apart at most. Buckets under further ones are left out of the interval.
pub const WEIGHTS_MAX: usize = 32;
/// The interval's ends are looked for between `e^-20` and `e^20`.
const LN_REACH: f64 = 20.0;

/// A confidence sequence for the ratio of event rates, under the configured weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatioSequence {
    weights: Vec<Events>,
}

impl Default for RatioSequence {
    fn default() -> Self {
        // Room for all, so that no update ever asks for more.
        RatioSequence { weights: Vec::with_capacity(WEIGHTS_MAX) }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Events {
    weight: Exact<1>,
    /// Counts stop at the largest number.
    canary: u32,
    base: u32,
}

impl RatioSequence {
    /// Takes in a bucket: events of both arms under a configured weight, 0 to 1. A weight at or beyond either end
    /// compares nothing.
    pub fn update(&mut self, canary_events: u64, base_events: u64, weight: f64) {
        if !(weight > 0.0 && weight < 1.0) || (canary_events == 0 && base_events == 0) {
            return;
        }
        let at = match self.weights.iter().position(|events| events.weight[0] == weight) {
            Some(at) => at,
            None if self.weights.len() >= WEIGHTS_MAX => return,
            None => {
                self.weights.push(Events { weight: Exact([weight]), canary: 0, base: 0 });
                self.weights.len() - 1
            }
        };
        let events = &mut self.weights[at];
        stop_at_most(&mut events.canary, canary_events);
        stop_at_most(&mut events.base, base_events);
    }

    /// The interval at level `alpha`; `None` before any event.
    pub fn interval(&self, alpha: f64) -> Option<Interval> {
        if self.weights.is_empty() {
            return None;
        }
        let even = log(RATIOS.len() as f64);
        let mixture = log_sum_exp(|| RATIOS.iter().map(|ln_ratio| self.log_likelihood(*ln_ratio) - even));
        let floor = mixture - threshold(alpha);
        let above = |ln_ratio: f64| self.log_likelihood(ln_ratio) - floor;
        let peak = self.peak();
        let end = |ln_end: f64| if above(ln_end) > 0.0 { ln_end } else { crossing(above, ln_end, peak) };
        (above(peak) > 0.0).then(|| Interval { low: exp(end(-LN_REACH)), high: exp(end(LN_REACH)) })
    }

    fn log_likelihood(&self, ln_ratio: f64) -> f64 {
        let ratio = exp(ln_ratio);
        let sum = |events: &Events| {
            let weight = events.weight[0];
            let (canary, base) = (f64::from(events.canary), f64::from(events.base));
            let mix = log(1.0 - weight + weight * ratio);
            canary * (log(weight) + ln_ratio - mix) + base * (log(1.0 - weight) - mix)
        };
        self.weights.iter().map(sum).sum()
    }

    /// Where the likelihood, concave in the logarithm of the ratio, is largest: its slope falls through zero there.
    fn peak(&self) -> f64 {
        let slope = |ln_ratio: f64| -> f64 {
            let ratio = exp(ln_ratio);
            let part = |events: &Events| {
                let weight = events.weight[0];
                let expected = weight * ratio / (1.0 - weight + weight * ratio);
                let (canary, base) = (f64::from(events.canary), f64::from(events.base));
                canary * (1.0 - expected) - base * expected
            };
            self.weights.iter().map(part).sum()
        };
        crossing(slope, LN_REACH, -LN_REACH)
    }
}
