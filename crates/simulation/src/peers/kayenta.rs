//! Kayenta's judge of 2025: per metric a Mann-Whitney test with a confidence of 98 %, tolerance a quarter of the
//! Hodges-Lehmann estimate. Three metrics a minute (error rate, share of slow answers above the base's p50 and p99) of
//! one group: any that is high fails the release.

use pitbird_analysis::Arm;

use super::{Minute, Word};
use crate::draws::Draws;

const METRICS: usize = 3;
const Z98: f64 = 2.326_347_874_040_841;
const EVERY: usize = 5;
const MINUTES: usize = 30;

#[derive(Default)]
pub(super) struct Judge {
    canary: [Vec<f64>; METRICS],
    clone: [Vec<f64>; METRICS],
}

impl Judge {
    pub fn minute(&mut self, minute: &Minute, draws: &mut Draws) -> Word {
        let share = minute.weight / (1.0 - minute.weight);
        let timed = [0, 2].map(|at| minute.timed.at(at));
        let arms = [minute.bucket, timed[0], timed[1]];
        for (at, bucket) in arms.into_iter().enumerate() {
            self.canary[at].extend(bucket.canary.rate());
            self.clone[at].extend(like(bucket.base, share, draws));
        }
        if !(minute.number + 1).is_multiple_of(EVERY) {
            return Word::GoOn;
        }
        if self.canary.iter().zip(&self.clone).any(|(canary, clone)| is_high(canary, clone)) {
            return Word::RollBack;
        }
        if minute.number + 1 >= MINUTES { Word::Promote } else { Word::GoOn }
    }
}

/// The rate that a clone with a part of the base's traffic shows.
fn like(base: Arm, share: f64, draws: &mut Draws) -> Option<f64> {
    let requests = draws.binomial(base.requests(), share);
    let events = draws.binomial(requests, base.rate()?);
    Arm::new(requests, events).ok()?.rate()
}

fn is_high(canary: &[f64], clone: &[f64]) -> bool {
    if canary.is_empty() || clone.is_empty() {
        return false;
    }
    let estimate = shift(0.0, canary, clone);
    let low = shift(Z98, canary, clone).min(shift(-Z98, canary, clone));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_canary, mean_clone) = (mean(canary), mean(clone));
    let has_effect = mean_clone == 0.0 || mean_canary == 0.0 || mean_canary / mean_clone >= 1.0;
    low > 0.25 * estimate.abs() && has_effect
}

/// The shift of the canary at which the test statistic is `q`, by bisection.
fn shift(q: f64, canary: &[f64], clone: &[f64]) -> f64 {
    let most = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let (mut low, mut high) = (least(canary) - most(clone), most(canary) - least(clone));
    if statistic(low, canary, clone) - q <= 0.0 {
        return low;
    }
    if statistic(high, canary, clone) - q >= 0.0 {
        return high;
    }
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if statistic(middle, canary, clone) - q > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Mann and Whitney's statistic, standardised, with corrections for ties and continuity.
fn statistic(shift: f64, canary: &[f64], clone: &[f64]) -> f64 {
    let moved = canary.iter().map(|value| (value - shift, true));
    let mut all: Vec<(f64, bool)> = moved.chain(clone.iter().map(|value| (*value, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut from) = (0.0, 0.0, 0);
    while from < all.len() {
        let alike = all[from..].iter().take_while(|(value, _)| *value == all[from].0).count();
        let rank = from as f64 + 0.5 * (alike as f64 + 1.0);
        ranks += rank * all[from..from + alike].iter().filter(|(_, is_canary)| *is_canary).count() as f64;
        let size = alike as f64;
        ties += size * size * size - size;
        from += alike;
    }
    let (n, m) = (canary.len() as f64, clone.len() as f64);
    let excess = ranks - n * (n + 1.0) / 2.0 - n * m / 2.0;
    let continuity = if excess == 0.0 { 0.0 } else { 0.5_f64.copysign(excess) };
    let variance = n * m / 12.0 * ((n + m + 1.0) - ties / ((n + m) * (n + m - 1.0)));
    if variance > 0.0 { (excess - continuity) / libm::sqrt(variance) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plainly_higher_is_high() {
        let low: Vec<f64> = (0..20).map(|i| 0.01 + 0.0001 * f64::from(i % 7)).collect();
        let high: Vec<f64> = low.iter().map(|value| value + 0.02).collect();
        assert!(is_high(&high, &low));
        assert!(!is_high(&low, &low) && !is_high(&low, &high));
    }
}
