//! Latency band by band: what lies up to the first threshold, between two of them, above the last one.
//!
//! One threshold sees who crosses it and nothing else. Read together, the bands tell of all answers, which finds a shift of
//! the whole body with a fifth fewer requests than the mean of the thresholds.
//!
//! Null: the canary is stochastically no slower, at every threshold. Alternatives: its odds of being above a threshold are `psi`
//! times the base's, at all thresholds alike. With `r` the ratio of both arms' chances to fall into a band:
//!
//! ```text
//! ln e = sum over bands of k_c ln r - k ln(1 - pi + pi r)
//! ```
//!
//! *Why it is valid.* `r` rises from band to band, and so does a canary answer's factor `r / (1 - pi + pi r)`. So a canary
//! that is no slower is expected to gain at most what base answers would with that factor, and of those the share `pi` of it
//! and the share `1 - pi` of the base's own factor `1 / (1 - pi + pi r)` add up to 1 in every band. With `pi` the
//! observed share, a bucket's e-value is expected to be at most 1, as K3's: `A^(n_c) B^(n_b) <= 1` where
//! `pi A + (1 - pi) B <= 1`. Which answers fall into which band doesn't matter for that: thresholds that aren't the base's
//! quantiles cost power, never validity.

use std::sync::LazyLock;

use libm::{expm1, log1p};
use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::grid::{Point, SLOWER, WIDTH};
use crate::latency::{COUNT, QUANTILES};
use crate::log_space::log_sum_exp;
use crate::{Slow, Timed};

/// One more than there are thresholds.
const BANDS: usize = COUNT + 1;

/// An e-process on the bands. Memory is constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    logs: Exact<WIDTH>,
}

impl Default for Bands {
    fn default() -> Self {
        Bands { logs: Exact::ZERO }
    }
}

impl Bands {
    /// Takes in a bucket. One with an empty arm changes nothing.
    pub fn update(&mut self, timed: Timed) {
        for (log, step) in self.logs.iter_mut().zip(steps(timed).into_iter().flatten()) {
            *log += step;
        }
    }

    /// The logarithm of the e-process now.
    pub fn log_e(&self) -> f64 {
        log_sum_exp(|| SLOWER.iter().zip(self.logs.iter()).map(|(point, log)| point.ln_weight + log))
    }
}

/// How many times as often as the base's the canary's answers fall into each band; less 1, and the logarithm.
struct Alternative {
    excess: [f64; BANDS],
    ln_ratio: [f64; BANDS],
}

static ALTERNATIVES: LazyLock<Vec<Alternative>> =
    LazyLock::new(|| SLOWER.iter().map(Alternative::new).collect());

impl Alternative {
    /// With odds `psi` times the base's, a share `q` above a threshold becomes `psi q / (1 + (psi - 1) q)`; the difference of two
    /// such shares over that of the base's own is `psi / ((1 + (psi - 1) q) (1 + (psi - 1) q'))`.
    fn new(point: &Point) -> Alternative {
        let above = |threshold: usize| QUANTILES.get(threshold).map_or(0.0, |quantile| 1.0 - quantile);
        let ln_ratio = std::array::from_fn(|band| {
            let higher = log1p(point.excess * above(band));
            match band.checked_sub(1) {
                Some(below) => point.ln_ratio - log1p(point.excess * above(below)) - higher,
                None => -higher,
            }
        });
        Alternative { excess: ln_ratio.map(expm1), ln_ratio }
    }
}

/// What a bucket adds to each alternative's logarithm; `None` when it compares nothing.
pub(crate) fn steps(timed: Timed) -> Option<[f64; WIDTH]> {
    let bucket = timed.at(0);
    let share = bucket.share().filter(|_| bucket.compares())?;
    let (canary, base) = (counts(timed.canary), counts(timed.base));
    let mut steps = [0.0; WIDTH];
    for (step, alternative) in steps.iter_mut().zip(ALTERNATIVES.iter()) {
        for band in 0..BANDS {
            let both = canary[band] + base[band];
            if both > 0.0 {
                *step += canary[band] * alternative.ln_ratio[band]
                    - both * log1p(share * alternative.excess[band]);
            }
        }
    }
    Some(steps)
}

/// Answers in each band.
fn counts(slow: Slow) -> [f64; BANDS] {
    let above = slow.above();
    std::array::from_fn(|band| {
        let from = band.checked_sub(1).map_or(slow.requests(), |below| above[below]);
        (from - above.get(band).copied().unwrap_or(0)) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_rise_from_band_to_band_and_are_chances() {
        for alternative in ALTERNATIVES.iter() {
            assert!(alternative.ln_ratio.is_sorted(), "{:?}", alternative.ln_ratio);
            let base = counts(Slow::new(1_000, [500, 100, 10, 1]).unwrap());
            let canary: f64 = base.iter().zip(alternative.excess).map(|(b, excess)| b * (1.0 + excess)).sum();
            assert!((canary - 1_000.0).abs() < 1e-9, "{canary}");
        }
    }

    #[test]
    fn one_threshold_alone_says_what_k3_says() {
        // Two bands apart from empty ones, where the alternative is K3's at the first threshold.
        let slow = |requests, above| Slow::new(requests, [above, above, above, above]).unwrap();
        let timed = Timed { canary: slow(100, 0), base: slow(900, 0) };
        let bucket = timed.at(0);
        let k3 = crate::two_by_two::increments(bucket, bucket.share().unwrap(), 0.5);
        for (found, expected) in steps(timed).unwrap().iter().zip(k3) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn a_slower_body_is_found_sooner_than_by_any_threshold() {
        let slow = |requests, above| Slow::new(requests, above).unwrap();
        // All answers take half as long again.
        let timed = Timed { canary: slow(1_000, [700, 225, 36, 5]), base: slow(9_000, [4_500, 900, 90, 9]) };
        let mut bands = Bands::default();
        bands.update(timed);
        for (at, quantile) in QUANTILES.iter().enumerate() {
            let mut alone = crate::TwoByTwo::at_rate(1.0 - quantile).unwrap();
            alone.update(timed.at(at));
            assert!(bands.log_e() > 1.2 * alone.log_e(), "{at}: {} {}", bands.log_e(), alone.log_e());
        }
    }

    #[test]
    fn an_arm_alone_says_nothing() {
        let timed = Timed { canary: Slow::new(9, [9, 9, 9, 9]).unwrap(), base: Slow::default() };
        let mut bands = Bands::default();
        bands.update(timed);
        assert_eq!(bands, Bands::default());
        assert!(bands.log_e().abs() < 1e-12);
    }
}
