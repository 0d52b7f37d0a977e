//! Late regressions: the share test begun anew again and again, mixed into one e-process.
//!
//! A test that has watched a good canary for an hour has gathered evidence that must first be worn down. A start at
//! second `s` knows nothing of the hour before. Start 0 has weight 1/2, start `s` weight `1/(2s(s+1))`; the weight not
//! yet given away counts as an e-process that has not moved from 1.

use std::sync::LazyLock;

use libm::log;
use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::grid::{self, WIDTH};
use crate::log_space::log_sum_exp;
use crate::share::increments;

/// Starts kept at most: the first and 63 later ones. Further restarts are refused, which costs power against still
/// later regressions and never validity; space the restarts so that they last.
pub const STARTS_MAX: usize = 64;

/// The rollback test (null: the canary's event rate is at most the base's) as a mixture over start times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restarting {
    first: Exact<WIDTH>,
    later: Vec<Exact<WIDTH>>,
}

impl Default for Restarting {
    fn default() -> Self {
        Restarting { first: Exact::ZERO, later: Vec::new() }
    }
}

impl Restarting {
    /// Begins a new start; `false` when [`STARTS_MAX`] are kept already.
    pub fn restart(&mut self) -> bool {
        let room = self.later.len() < STARTS_MAX - 1;
        if room {
            self.later.push(Exact::ZERO);
        }
        room
    }

    /// Takes in a bucket; see [`ShareTest::update`](crate::ShareTest::update).
    pub fn update(&mut self, canary_events: u64, base_events: u64, share: f64) {
        let Some(steps) = increments(&grid::WORSE, 1.0, canary_events, base_events, share) else {
            return;
        };
        for start in std::iter::once(&mut self.first).chain(&mut self.later) {
            for (log, step) in start.iter_mut().zip(steps) {
                *log += step;
            }
        }
    }

    /// The logarithm of the mixture now.
    pub fn log_e(&self) -> f64 {
        // The weights given to S starts add up to 1 - 1/(2S).
        let rest = -log(2.0 * (1 + self.later.len()) as f64);
        log_sum_exp(|| {
            let starts = std::iter::once(&self.first).chain(&self.later).zip(LN_WEIGHTS.iter());
            let terms = starts.flat_map(|(start, ln_start)| {
                start.iter().zip(grid::WORSE.iter()).map(move |(log, point)| ln_start + point.ln_weight + log)
            });
            terms.chain([rest])
        })
    }
}

static LN_WEIGHTS: LazyLock<[f64; STARTS_MAX]> = LazyLock::new(|| {
    std::array::from_fn(|s| if s == 0 { -log(2.0) } else { -log(2.0 * s as f64 * (s as f64 + 1.0)) })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_bounded_and_their_weights_stay_below_one() {
        let mut test = Restarting::default();
        while test.restart() {}
        assert_eq!(test.later.len(), STARTS_MAX - 1);
        assert!(test.log_e().abs() < 1e-12, "nothing observed: E is 1");
    }
}
