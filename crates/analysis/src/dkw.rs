//! A band around a whole distribution function that holds at all times at once: the time-uniform
//! Dvoretzky-Kiefer-Wolfowitz bound with an iterated-logarithm rate (Howard and Ramdas 2022, theorem 2). It watches all
//! quantiles together and is therefore nearly blind in the tail; K3 decides, this one draws.

use libm::{exp, log, sqrt};

use crate::interval::crossing;

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
