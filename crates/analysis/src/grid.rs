//! The fixed grids of alternatives, with every logarithm taken once.

use std::sync::LazyLock;

use libm::{expm1, log};

/// Alternatives of the widest grid; narrower ones leave the rest of an array unused.
pub(crate) const WIDTH: usize = 24;

/// One alternative: a ratio and the weight that the mixture gives it.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    /// The ratio less 1.
    pub excess: f64,
    pub ln_ratio: f64,
    pub ln_weight: f64,
}

/// Rollback: 24 ratios, geometric from 1.25 to 8192, weight 1/(j+1). Small ratios get most weight; the long tail makes
/// two errors on a 1 % canary enough.
pub(crate) static WORSE: LazyLock<Vec<Point>> =
    LazyLock::new(|| harmonic(geometric(log(1.25), log(8192.0), WIDTH)));

/// Latency: 24 odds ratios, geometric from 1.1 to 1024, weight 1/(j+1).
pub(crate) static SLOWER: LazyLock<Vec<Point>> =
    LazyLock::new(|| harmonic(geometric(log(1.1), log(1024.0), WIDTH)));

/// Non-inferiority of a ratio: 16 multiples of the null, geometric from 1/16 to 0.9, all alike.
pub(crate) static BETTER: LazyLock<Vec<Point>> =
    LazyLock::new(|| uniform(geometric(-log(16.0), log(0.9), 16)));

/// Split check: 12 ratios, geometric from 1.02 to 8, and their reciprocals, all alike.
pub(crate) static SPLIT: LazyLock<Vec<Point>> = LazyLock::new(|| {
    let up = geometric(log(1.02), log(8.0), 12);
    uniform(up.iter().rev().map(|x| -x).chain(up.iter().copied()).collect())
});

/// Logarithms of the ratio sequence's 49 points: the rollback grid, its reciprocals, and 1.
pub(crate) static RATIOS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let up = geometric(log(1.25), log(8192.0), WIDTH);
    up.iter().rev().map(|x| -x).chain([0.0]).chain(up.iter().copied()).collect()
});

/// Logarithms of `count` points, geometric between two given as logarithms.
pub(crate) fn geometric(ln_low: f64, ln_high: f64, count: usize) -> Vec<f64> {
    let step = |j: usize| ln_low + (ln_high - ln_low) * j as f64 / (count - 1) as f64;
    (0..count).map(step).collect()
}

fn harmonic(ln_ratios: Vec<f64>) -> Vec<Point> {
    let total: f64 = (1..=ln_ratios.len()).map(|j| 1.0 / j as f64).sum();
    let point = |(j, ln_ratio)| point(ln_ratio, -log((j + 1) as f64 * total));
    ln_ratios.into_iter().enumerate().map(point).collect()
}

fn uniform(ln_ratios: Vec<f64>) -> Vec<Point> {
    let ln_weight = -log(ln_ratios.len() as f64);
    ln_ratios.into_iter().map(|ln_ratio| point(ln_ratio, ln_weight)).collect()
}

fn point(ln_ratio: f64, ln_weight: f64) -> Point {
    Point { excess: expm1(ln_ratio), ln_ratio, ln_weight }
}
