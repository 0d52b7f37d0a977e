//! A band around a whole distribution function that holds at all times at once: the time-uniform
//! Dvoretzky-Kiefer-Wolfowitz bound with an iterated-logarithm rate (Howard and Ramdas 2022, theorem 2). It watches all
//! quantiles together and is therefore nearly blind in the tail; K3 decides, this one draws.

use libm::{exp, log, sqrt};

use crate::Timed;
use crate::interval::crossing;
use crate::latency::QUANTILES;

/// The bound's leading constant.
const A: f64 = 0.85;

/// The band's half-width after `t` samples, valid from `t_min` samples on; infinite before. `alpha` must lie in
/// [1e-12, 0.5], `t_min` be at least 1; otherwise infinite.
pub fn half_width(t: f64, alpha: f64, t_min: f64) -> f64 {
    if !(t >= t_min && t_min >= 1.0 && t.is_finite() && (1.0e-12..=0.5).contains(&alpha)) {
        return f64::INFINITY;
    }
    A * sqrt((log(1.0 + log(t / t_min)) + constant(alpha)) / t)
}

/// How far apart the bands around canary's and base's distribution functions are where they are furthest, canary
/// slower: positive means that the canary is slower somewhere, at any time, with an error of at most `alpha`. Each arm
/// has half of it. Negative while the bands overlap everywhere, and infinitely so before either arm was seen.
pub fn separation(timed: Timed, alpha: f64) -> f64 {
    let width = |requests: u64| half_width(requests as f64, 0.5 * alpha, 1.0);
    let widths = width(timed.canary.requests()) + width(timed.base.requests());
    let apart = (0..QUANTILES.len()).filter_map(|at| {
        let bucket = timed.at(at);
        Some(bucket.canary.rate()? - bucket.base.rate()?)
    });
    apart.fold(f64::NEG_INFINITY, f64::max) - widths
}

/// The smallest additive constant whose error, with the best spacing of epochs, is at most `alpha`.
fn constant(alpha: f64) -> f64 {
    crossing(|c| alpha - best_error(c), 3.0, 200.0)
}

/// The error of an additive constant, least over the spacing `eta` of the epochs.
fn best_error(c: f64) -> f64 {
    const GOLDEN: f64 = 0.381_966_011_250_105;
    let reach = |eta: f64| sqrt(eta / 2.0) + sqrt(2.0 * (eta - 1.0) / c) - A;
    let (mut low, mut high) = (1.0 + 1.0e-9, crossing(reach, 1.0, 2.0 * A * A) - 1.0e-12);
    for _ in 0..80 {
        let (left, right) = (low + (high - low) * GOLDEN, high - (high - low) * GOLDEN);
        if error(c, left) < error(c, right) {
            high = right;
        } else {
            low = left;
        }
    }
    error(c, 0.5 * (low + high))
}

fn error(c: f64, eta: f64) -> f64 {
    let root = A - sqrt(2.0 * (eta - 1.0) / c);
    let gamma = 2.0 / eta * root * root;
    if gamma <= 1.0 {
        return f64::INFINITY;
    }
    4.0 * exp(-gamma * c) * (1.0 + 1.0 / ((gamma - 1.0) * log(eta)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Slow;

    fn apart(times: u64, above: [u64; 4]) -> f64 {
        let slow = |above: [u64; 4]| Slow::new(100 * times, above.map(|count| count * times)).unwrap();
        separation(Timed { canary: slow(above), base: slow([50, 10, 1, 0]) }, 0.001)
    }

    #[test]
    fn bands_part_when_enough_is_seen() {
        assert!(apart(1, [78, 25, 3, 0]) < 0.0 && apart(20, [78, 25, 3, 0]) > 0.0);
        assert!(apart(10_000, [50, 10, 1, 0]) < 0.0);
        assert_eq!(separation(Timed::default(), 0.001), f64::NEG_INFINITY);
    }
}
