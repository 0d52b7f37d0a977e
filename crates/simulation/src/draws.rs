//! Random numbers that a seed decides, the same on every machine.

use libm::{exp, floor, lgamma, log, sqrt};

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    /// Run number `run` of a seed, and of a name, so that neighbours have nothing in common.
    pub fn new(seed: u64, name: &str, run: u64) -> Draws {
        let mut draws = Draws(seed);
        for word in name.bytes().map(u64::from).chain([run]) {
            draws.0 ^= word.wrapping_mul(0xff51_afd7_ed55_8ccd);
            draws.0 = draws.next();
        }
        draws
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    pub fn happens(&mut self, chance: f64) -> bool {
        self.uniform() < chance
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        sqrt(-2.0 * log(u)) * libm::cos(2.0 * std::f64::consts::PI * v)
    }

    /// Hörmann's PTRS (1993) from a mean of 10 on; below, multiplication.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean < 10.0 {
            let (end, mut product, mut count) = (exp(-mean), 1.0 - self.uniform(), 0);
            while product > end {
                product *= 1.0 - self.uniform();
                count += 1;
            }
            return count;
        }
        let (root, ln_mean) = (sqrt(mean), log(mean));
        let b = 0.931 + 2.53 * root;
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let quick = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let (u, v) = (self.uniform() - 0.5, 1.0 - self.uniform());
            let side = 0.5 - u.abs();
            let k = floor((2.0 * a / side + b) * u + mean + 0.43);
            if side >= 0.07 && v <= quick {
                return k as u64;
            }
            if k < 0.0 || (side < 0.013 && v > side) {
                continue;
            }
            let left = log(v) + log(inverse_alpha) - log(a / (side * side) + b);
            if left <= k * ln_mean - mean - lgamma(k + 1.0) {
                return k as u64;
            }
        }
    }

    /// Hörmann's BTRS (1993) from 10 expected on; below, the gaps between successes.
    pub fn binomial(&mut self, trials: u64, chance: f64) -> u64 {
        if trials == 0 || chance <= 0.0 {
            return 0;
        }
        if chance >= 1.0 {
            return trials;
        }
        if chance > 0.5 {
            return trials - self.binomial(trials, 1.0 - chance);
        }
        let n = trials as f64;
        if n * chance < 10.0 {
            return self.few(trials, chance);
        }
        let (p, q) = (chance, 1.0 - chance);
        let root = sqrt(n * p * q);
        let b = 1.15 + 2.53 * root;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let (c, quick) = (n * p + 0.5, 0.92 - 4.2 / b);
        let alpha = (2.83 + 5.1 / b) * root;
        let (odds, mode) = (log(p / q), floor((n + 1.0) * p));
        let height = lgamma(mode + 1.0) + lgamma(n - mode + 1.0);
        loop {
            let (u, v) = (self.uniform() - 0.5, 1.0 - self.uniform());
            let side = 0.5 - u.abs();
            let k = floor((2.0 * a / side + b) * u + c);
            if side >= 0.07 && v <= quick {
                return k as u64;
            }
            if k < 0.0 || k > n {
                continue;
            }
            let v = v * alpha / (a / (side * side) + b);
            if log(v) <= height - lgamma(k + 1.0) - lgamma(n - k + 1.0) + (k - mode) * odds {
                return k as u64;
            }
        }
    }

    fn few(&mut self, trials: u64, chance: f64) -> u64 {
        let ln_miss = libm::log1p(-chance);
        let (mut at, mut count) = (0.0, 0);
        loop {
            at += floor(log(1.0 - self.uniform()) / ln_miss) + 1.0;
            if at > trials as f64 {
                return count;
            }
            count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut(&mut Draws) -> u64) -> (f64, f64) {
        const COUNT: usize = 40_000;
        let mut draws = Draws::new(1, "moments", 0);
        let drawn: Vec<f64> = (0..COUNT).map(|_| draw(&mut draws) as f64).collect();
        let mean = drawn.iter().sum::<f64>() / COUNT as f64;
        (mean, drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / COUNT as f64)
    }

    #[test]
    fn draws_have_the_mean_and_variance_of_their_law() {
        for mean in [0.3, 5.0, 40.0, 1000.0] {
            let (found, variance) = moments(|draws| draws.poisson(mean));
            assert!((found - mean).abs() < 5.0 * sqrt(mean / 40_000.0), "{found} for {mean}");
            assert!((variance / mean - 1.0).abs() < 0.05, "{variance} for {mean}");
        }
        for (trials, chance) in [(10, 0.3), (1000, 0.002), (1000, 0.1), (100_000, 0.7)] {
            let (found, variance) = moments(|draws| draws.binomial(trials, chance));
            let expected = trials as f64 * chance;
            let spread = expected * (1.0 - chance);
            assert!(
                (found - expected).abs() < 5.0 * sqrt(spread / 40_000.0),
                "{found} for {trials} {chance}"
            );
            assert!((variance / spread - 1.0).abs() < 0.05, "{variance} for {trials} {chance}");
        }
    }
}
