//! A limit that holds by itself, whatever the base does: does the canary have more events than it may?
//!
//! The same one-sample test as the [`guard`](crate::guard)'s, made to convict: it begins nearer to the limit, gives most
//! weight to the alternatives there, and watches for late regressions as the [`restart`](crate::restart) mixture does. It
//! stays an e-process for every rate up to the limit, also one that wanders below it: each alternative's factor is expected
//! to be at most 1 wherever the rate is at most the limit.
//!
//! A latency's quantile is such a limit too: "the p99 is above 800 ms" says that more than one request in a hundred takes
//! longer than 800 ms.

use libm::{exp, log, log1p};
use serde::{Deserialize, Serialize};

use crate::Arm;
use crate::exact::Exact;
use crate::grid::{self, WIDTH, geometric};
use crate::restart::Starts;

/// The limits that can be watched.
pub const LIMIT_MIN: f64 = 1.0e-6;
pub const LIMIT_MAX: f64 = 0.75;
/// The first alternative is this much above the limit, so rates from about an eighth above it on are found in the end.
const FIRST: f64 = 1.25;
/// The last alternative: nearly every request is an event.
const LAST: f64 = 0.999;

/// An e-process against the null "the event rate is at most the limit". 24 alternatives, geometric from 1.25 times the
/// limit to 0.999, weight 1/(j+1), as a mixture over start times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    limit: Exact<1>,
    starts: Starts,
    seen: Arm,
}

impl Ceiling {
    /// `None` for a limit outside [`LIMIT_MIN`] to [`LIMIT_MAX`].
    pub fn new(limit: f64) -> Option<Ceiling> {
        let fits = (LIMIT_MIN..=LIMIT_MAX).contains(&limit);
        fits.then(|| Ceiling { limit: Exact([limit]), starts: Starts::default(), seen: Arm::default() })
    }

    pub fn limit(&self) -> f64 {
        self.limit[0]
    }

    /// All that was seen.
    pub fn seen(&self) -> Arm {
        self.seen
    }

    /// Watches for a regression that begins now.
    pub fn restart(&mut self) {
        self.starts.restart();
    }

    pub fn update(&mut self, arm: Arm) {
        let limit = self.limit().clamp(LIMIT_MIN, LIMIT_MAX);
        let (k, quiet) = (arm.k(), arm.quiet());
        let mut steps = [0.0; WIDTH];
        for (step, ln_rate) in steps.iter_mut().zip(geometric(log(FIRST * limit), log(LAST), WIDTH)) {
            *step = k * (ln_rate - log(limit)) + quiet * (log1p(-exp(ln_rate)) - log1p(-limit));
        }
        self.starts.add(&steps);
        self.seen = self.seen.plus(arm);
    }

    /// The logarithm of the mixture now.
    pub fn log_e(&self) -> f64 {
        self.starts.log_e(&grid::WORSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(limit: f64, arm: Arm) -> f64 {
        let mut ceiling = Ceiling::new(limit).unwrap();
        ceiling.update(arm);
        ceiling.log_e()
    }

    /// Every way that ten requests can go, in two buckets with a new start between them.
    #[test]
    fn is_expected_to_be_at_most_one_up_to_the_limit() {
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        let chance = |n: u64, k: u64, rate: f64| {
            choose(n, k) * rate.powi(k as i32) * (1.0 - rate).powi((n - k) as i32)
        };
        for limit in [0.001, 0.02, 0.3, LIMIT_MAX] {
            for part in [0.0, 0.3, 0.9, 1.0] {
                let rate = limit * part;
                let mut expected = 0.0;
                for (first, second) in (0..=6).flat_map(|first| (0..=4).map(move |second| (first, second))) {
                    let mut ceiling = Ceiling::new(limit).unwrap();
                    ceiling.update(Arm::new(6, first).unwrap());
                    ceiling.restart();
                    ceiling.update(Arm::new(4, second).unwrap());
                    expected += chance(6, first, rate) * chance(4, second, rate) * exp(ceiling.log_e());
                }
                assert!(expected <= 1.0 + 1e-12, "{limit} {rate}: {expected}");
            }
        }
    }

    #[test]
    fn at_the_limit_it_stays_and_above_it_rises() {
        let needed = crate::threshold(0.001);
        assert!(watched(0.02, Arm::new(10_000, 200).unwrap()) < 0.0);
        assert!(watched(0.02, Arm::new(10_000, 250).unwrap()) > 0.0);
        assert!(watched(0.02, Arm::new(10_000, 300).unwrap()) > needed);
        assert!(watched(0.02, Arm::new(6, 6).unwrap()) > needed, "broken altogether: six requests");
        assert!(watched(0.5, Arm::new(1_000, 650).unwrap()) > needed, "a median");
    }

    #[test]
    fn a_late_fault_needn_t_wear_down_hours_of_good_service() {
        let needed = crate::threshold(0.001);
        let mut ceiling = Ceiling::new(0.02).unwrap();
        for _ in 0..60 {
            ceiling.update(Arm::new(6_000, 6).unwrap());
            ceiling.restart();
        }
        ceiling.update(Arm::new(100, 20).unwrap());
        assert!(ceiling.log_e() > needed, "{}", ceiling.log_e());
    }

    #[test]
    fn a_limit_that_can_t_be_watched_is_none() {
        for limit in [0.0, -1.0, 1.0e-7, 0.76, 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Ceiling::new(limit), None, "{limit}");
        }
        let most = watched(LIMIT_MAX, Arm::new(u64::MAX, u64::MAX).unwrap());
        assert!(most.is_finite() && most > 0.0);
        assert!(watched(0.5, Arm::default()).abs() < 1e-12);
    }
}
