//! Two Bernoulli arms: the point of the null nearest to a guess, and a bucket's likelihood ratio against it.

use libm::{log, log1p};

use crate::Arm;

/// Distance kept from 0 and 1, where logarithms end.
const EDGE: f64 = 1.0e-15;
/// A step of Newton's method this small, as a part of the way to where the derivative ends: what it leaves is about its
/// square, which no double holds.
const CLOSE: f64 = 1.0e-9;

/// Event probabilities of both arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rates {
    pub canary: f64,
    pub base: f64,
}

/// The point `(t + delta, t)` on the border of "the canary is worse by `delta` or more" that is nearest to `guess` in
/// Kullback-Leibler divergence, the arms weighted by `share` and `1 - share`. The guess must lie outside that null;
/// all four numbers must lie strictly inside (0, 1).
///
/// The derivative `g(t)` rises through its only zero, which lies between `max(0, guess.canary - delta)` and
/// `guess.base`: there each arm's part changes sign. Newton's method on `t g(t)`, which has no pole at 0, kept inside
/// that bracket by bisection.
pub(crate) fn project(share: f64, guess: Rates, delta: f64) -> f64 {
    let (c, b, rest) = (guess.canary, guess.base, 1.0 - share);
    let mut low = (c - delta).max(EDGE);
    let mut high = b.min(1.0 - delta - EDGE);
    let mut t = high;
    for _ in 0..200 {
        let (u, in_t, in_u) = (t + delta, 1.0 / (1.0 - t), 1.0 / (1.0 - t - delta));
        let canary = (share * (1.0 - c) * in_u, share * c / u);
        let base = rest * (1.0 - b) * in_t;
        let slope = canary.0 - canary.1 + base;
        let value = t * slope - rest * b;
        let newton = t - value / (slope + t * (canary.0 * in_u + canary.1 / u + base * in_t));
        let room = t.min(1.0 - delta - t);
        if (newton - t).abs() <= CLOSE * room {
            return newton.clamp(low, high);
        }
        if value < 0.0 {
            low = t;
        } else {
            high = t;
        }
        t = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if t == low || t == high {
            break;
        }
    }
    t
}

/// `k ln(p/q) + (n-k) ln((1-p)/(1-q))`: how much better `p` explains the arm than `q`, as a logarithm.
pub(crate) fn log_ratio(arm: Arm, p: f64, q: f64) -> f64 {
    let mut sum = 0.0;
    if arm.events() > 0 {
        sum += arm.k() * log(p / q);
    }
    if arm.events() < arm.requests() {
        // (1-p)/(1-q) = 1 + (q-p)/(1-q): keeps its digits where both are small.
        sum += arm.quiet() * log1p((q - p) / (1.0 - q));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, by bisection alone.
    fn bisected(share: f64, guess: Rates, delta: f64) -> f64 {
        let (mut low, mut high) = (EDGE, 1.0 - delta - EDGE);
        for _ in 0..200 {
            let t = 0.5 * (low + high);
            let canary = (1.0 - guess.canary) / (1.0 - t - delta) - guess.canary / (t + delta);
            let base = (1.0 - guess.base) / (1.0 - t) - guess.base / t;
            if share * canary + (1.0 - share) * base < 0.0 {
                low = t;
            } else {
                high = t;
            }
        }
        0.5 * (low + high)
    }

    #[test]
    fn where_it_begins_at_the_border_it_goes_on() {
        for (share, rate, delta) in
            [(0.001, 0.977, 0.891), (0.95, 0.5, 0.5), (0.1, 0.5, 0.9), (0.5, 0.9, 0.1)]
        {
            let guess = Rates { canary: rate, base: rate };
            let (found, expected) = (project(share, guess, delta), bisected(share, guess, delta));
            assert!(
                (found - expected).abs() <= 1e-11 * expected,
                "{share} {rate} {delta}: {found} {expected}"
            );
        }
    }

    /// Beside the pole a step is as small as the distance from it, and there may be many left.
    #[test]
    fn a_small_step_at_the_border_is_not_the_last() {
        for d in [-1.0865972344242083, -1.0678095188780554, -1.0525492043085238] {
            let (rate, delta) = (libm::exp10(-0.01), libm::exp10(d));
            let guess = Rates { canary: rate, base: rate };
            let (found, expected) = (project(0.001, guess, delta), bisected(0.001, guess, delta));
            assert!((found - expected).abs() <= 1e-11 * expected, "{d}: {found} {expected}");
        }
    }

    proptest! {
        #[test]
        fn newton_finds_what_bisection_finds(
            share in 0.001..0.999f64, c in -6.0..-0.01f64, b in -6.0..-0.01f64, d in -3.0..-0.05f64,
        ) {
            let (guess, delta) = (Rates { canary: libm::exp10(c), base: libm::exp10(b) }, libm::exp10(d));
            prop_assume!(guess.canary < guess.base + delta);
            let (found, expected) = (project(share, guess, delta), bisected(share, guess, delta));
            prop_assert!((found - expected).abs() <= 1e-11 * expected + 1e-15, "{found} {expected}");
        }
    }
}
