//! Kernel K3: two arms, two outcomes. Made for latency, where an event is an answer slower than a threshold that was
//! frozen before the rollout, such as the base's p99.
//!
//! Null: the canary's event rate is at most the base's. Alternatives are odds ratios on the base's rate. Unlike K1 it
//! also counts the requests that were no events, which pays where events are frequent.

use libm::{log, log1p};
use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::grid::{Point, SLOWER, WIDTH};
use crate::log_space::log_sum_exp;
use crate::{Arm, Bucket};

/// An e-process on a 2x2 table. Memory is constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoByTwo {
    /// The base's event rate where it is known beforehand (1 - q for the q-quantile), else unused.
    fixed: Option<Exact<1>>,
    base: Arm,
    logs: Exact<WIDTH>,
}

impl TwoByTwo {
    /// Guesses the base's event rate from `history` and from earlier buckets.
    pub fn new(history: Arm) -> TwoByTwo {
        TwoByTwo { fixed: None, base: history, logs: Exact::ZERO }
    }

    /// Takes the base's event rate as known. A wrong one costs power, never validity. `None` unless it lies strictly
    /// between 0 and 1.
    pub fn at_rate(base_rate: f64) -> Option<TwoByTwo> {
        let fits = base_rate > 0.0 && base_rate < 1.0;
        fits.then_some(TwoByTwo { fixed: Some(Exact([base_rate])), base: Arm::default(), logs: Exact::ZERO })
    }

    /// Takes in a bucket. One with an empty arm only sharpens the guess.
    pub fn update(&mut self, bucket: Bucket) {
        if let Some(share) = bucket.share().filter(|_| bucket.compares()) {
            let steps = increments(bucket, share, self.base_rate());
            for (log, step) in self.logs.iter_mut().zip(steps) {
                *log += step;
            }
        }
        self.base = self.base.plus(bucket.base);
    }

    /// The logarithm of the e-process now.
    pub fn log_e(&self) -> f64 {
        log_sum_exp(|| SLOWER.iter().zip(self.logs.iter()).map(|(point, log)| point.ln_weight + log))
    }

    fn base_rate(&self) -> f64 {
        let rate = match self.fixed {
            Some(rate) => rate[0],
            None => (self.base.k() + 0.5) / (self.base.n() + 1.0),
        };
        rate.clamp(1.0e-9, 1.0 - 1.0e-9)
    }
}

/// The alternatives for a base's event rate that is known beforehand, with every logarithm that doesn't depend on a bucket.
pub(crate) struct Known {
    base: Outcome,
    canary: Vec<Outcome>,
}

/// The chances of an event and of none, and their logarithms.
struct Outcome {
    event: f64,
    quiet: f64,
    ln_event: f64,
    ln_quiet: f64,
}

impl Outcome {
    fn new(event: f64, quiet: f64) -> Outcome {
        Outcome { event, quiet, ln_event: ln(event, quiet), ln_quiet: ln(quiet, event) }
    }
}

/// A chance's logarithm, with all of its digits near 1 too.
fn ln(chance: f64, complement: f64) -> f64 {
    if complement < 0.5 { log1p(-complement) } else { log(chance) }
}

impl Known {
    pub fn new(rate: f64) -> Known {
        let canary = |point: &Point| {
            let scale = 1.0 / (1.0 + point.excess * rate);
            Outcome::new((1.0 + point.excess) * rate * scale, (1.0 - rate) * scale)
        };
        Known { base: Outcome::new(rate, 1.0 - rate), canary: SLOWER.iter().map(canary).collect() }
    }

    /// The same as [`increments`], with half the logarithms.
    pub fn increments(&self, bucket: Bucket, share: f64) -> [f64; WIDTH] {
        let Bucket { canary, base } = bucket;
        let (events, quiets) = (canary.k() + base.k(), canary.quiet() + base.quiet());
        let of_base = base.k() * self.base.ln_event + base.quiet() * self.base.ln_quiet;
        let mut steps = [0.0; WIDTH];
        for (step, alternative) in steps.iter_mut().zip(&self.canary) {
            let mean = share * alternative.event + (1.0 - share) * self.base.event;
            let not_mean = share * alternative.quiet + (1.0 - share) * self.base.quiet;
            let mut sum = of_base + canary.k() * alternative.ln_event + canary.quiet() * alternative.ln_quiet;
            if events > 0.0 {
                sum -= events * ln(mean, not_mean);
            }
            if quiets > 0.0 {
                sum -= quiets * ln(not_mean, mean);
            }
            *step = sum;
        }
        steps
    }
}

/// What a bucket adds to each alternative's logarithm, the base's event rate being guessed as `base_rate`.
pub(crate) fn increments(bucket: Bucket, share: f64, base_rate: f64) -> [f64; WIDTH] {
    let mut steps = [0.0; WIDTH];
    for (step, point) in steps.iter_mut().zip(SLOWER.iter()) {
        *step = log_factor(bucket, share, base_rate, point.excess);
    }
    steps
}

/// A bucket's log e-value for base rate `b` and odds ratio `1 + excess` on the canary. The null's nearest point gives
/// both arms the mean rate. Complements are made from complements: near 1 a difference would lose its digits.
pub(crate) fn log_factor(bucket: Bucket, share: f64, b: f64, excess: f64) -> f64 {
    let scale = 1.0 / (1.0 + excess * b);
    let (c, not_b, not_c) = ((1.0 + excess) * b * scale, 1.0 - b, (1.0 - b) * scale);
    let mean = share * c + (1.0 - share) * b;
    let not_mean = share * not_c + (1.0 - share) * not_b;
    let mut sum = 0.0;
    let terms = [
        (bucket.canary.k(), c, mean),
        (bucket.canary.quiet(), not_c, not_mean),
        (bucket.base.k(), b, mean),
        (bucket.base.quiet(), not_b, not_mean),
    ];
    for (count, p, q) in terms {
        if count > 0.0 {
            sum += count * log(p / q);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_rate_says_the_same() {
        for rate in [0.5, 0.1, 0.01, 0.001] {
            let known = Known::new(rate);
            for (n_c, k_c, n_b, k_b) in
                [(1, 0, 1, 0), (3, 3, 9, 0), (95, 4, 5, 0), (20_000, 190, 90_000, 1_000)]
            {
                let bucket = Bucket::new(n_c, k_c, n_b, k_b).unwrap();
                let share = bucket.share().unwrap();
                let (found, expected) = (known.increments(bucket, share), increments(bucket, share, rate));
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-10, "{rate} {bucket:?}: {found} {expected}");
                }
            }
        }
    }
}
