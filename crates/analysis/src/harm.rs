//! Kernel K2: how much worse than the base can the canary be at most?
//!
//! For each margin of a grid, an e-process against the null "the canary's event rate exceeds the base's by this margin
//! or more". A bucket's factor is the likelihood of a guess, made from earlier buckets only, over the likelihood of the
//! null's nearest point. Rejecting a margin proves the canary less than that much worse.

use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::log_space::threshold;
use crate::projection::{Rates, log_ratio, project};
use crate::{Arm, Bucket};

/// The margins of every bound, as differences of event rates.
pub const MARGINS: [f64; 20] = [
    0.9, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.09, 0.06, 0.045, 0.03, 0.02, 0.015, 0.01, 0.0075, 0.005, 0.0035,
    0.0025, 0.0015, 0.001,
];

/// The grid and one margin more.
pub(crate) const WIDTH: usize = MARGINS.len() + 1;
/// How many requests' worth of the base's rate the guess for the canary starts from.
const PRIOR_REQUESTS: f64 = 20.0;
/// The guess for the base before it was ever seen.
const UNSEEN_RATE: f64 = 0.01;

/// Evidence (a natural logarithm) that suffices at any level that anybody asks for. A margin that has reached it is proven
/// for good and isn't followed any further, which is two thirds of the work of a long rollout.
const ENOUGH: f64 = 100.0;

/// An upper bound on (canary's event rate - base's event rate) that holds at all times at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HarmBound {
    margins: Margins,
    logs: Exact<WIDTH>,
    peaks: Exact<WIDTH>,
    /// Base includes what it did before the rollout.
    seen: Bucket,
    /// The margin that is followed beyond [`ENOUGH`], the others not; `None` where all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Exact<1>>,
}

impl HarmBound {
    /// A bound on the grid of [`MARGINS`], and on `margin` too if it lies strictly between 0 and 0.9 and is not on the
    /// grid. `history` is what the base did before the rollout.
    pub fn new(history: Arm, margin: f64) -> HarmBound {
        let seen = Bucket { canary: Arm::default(), base: history };
        HarmBound { margins: Margins::with(margin), logs: Exact::ZERO, peaks: Exact::ZERO, seen, told: None }
    }

    /// The same, but of the margins that are proven for good only `margin` is followed any further: the bound is the same.
    pub fn telling(history: Arm, margin: f64) -> HarmBound {
        HarmBound { told: Some(Exact([margin])), ..HarmBound::new(history, margin) }
    }

    /// Takes in a bucket. One with an empty arm only sharpens the guess.
    pub fn update(&mut self, bucket: Bucket) {
        if let Some(share) = bucket.share().filter(|_| bucket.compares()) {
            let (guess, margins) = (self.guess(), self.margins.all());
            for ((log, peak), margin) in self.logs.iter_mut().zip(self.peaks.iter_mut()).zip(*margins) {
                if margin > 0.0 && (*peak < ENOUGH || self.told.is_none_or(|told| told[0] == margin)) {
                    *log += log_factor(bucket, share, guess, margin);
                    *peak = peak.max(*log);
                }
            }
        }
        self.seen = self.seen.plus(bucket);
    }

    /// The bound at level `alpha`: with probability at least `1 - alpha` it never lies below the true difference.
    /// 1 while nothing is proven.
    pub fn upper(&self, alpha: f64) -> f64 {
        proven(&self.margins.all(), &self.peaks, alpha)
    }

    /// The logarithm of the e-process for a margin; `None` for one that is not watched.
    pub fn log_e(&self, margin: f64) -> Option<f64> {
        let at = self.margins.all().iter().position(|watched| *watched == margin)?;
        (margin > 0.0).then_some(self.logs[at])
    }

    fn guess(&self) -> Rates {
        let Bucket { canary, base } = self.seen;
        let base = if base.requests() == 0 { UNSEEN_RATE } else { (base.k() + 0.5) / (base.n() + 1.0) };
        let base = base.clamp(1.0e-6, 0.999);
        let canary = (canary.k() + PRIOR_REQUESTS * base) / (canary.n() + PRIOR_REQUESTS);
        Rates { canary: canary.min(1.0 - 1.0e-9), base }
    }
}

/// The grid and one margin more, or 0. Written down as all of them, kept as the one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Exact<WIDTH>", into = "Exact<WIDTH>")]
struct Margins(f64);

impl Margins {
    fn with(margin: f64) -> Margins {
        let is_watched = watched(margin)[WIDTH - 1] > 0.0;
        Margins(if is_watched { margin } else { 0.0 })
    }

    fn all(self) -> Exact<WIDTH> {
        watched(self.0)
    }
}

impl TryFrom<Exact<WIDTH>> for Margins {
    type Error = &'static str;
    fn try_from(all: Exact<WIDTH>) -> Result<Margins, Self::Error> {
        let more = all.iter().copied().find(|margin| !MARGINS.contains(margin)).unwrap_or(0.0);
        let margins = Margins::with(more);
        if margins.all() == all { Ok(margins) } else { Err("margins of no bound") }
    }
}

impl From<Margins> for Exact<WIDTH> {
    fn from(margins: Margins) -> Exact<WIDTH> {
        margins.all()
    }
}

/// The margins of a bound: falling; an unused last place is 0.
pub(crate) fn watched(margin: f64) -> Exact<WIDTH> {
    let mut margins = Exact::ZERO;
    margins[..MARGINS.len()].copy_from_slice(&MARGINS);
    if margin > 0.0 && margin < MARGINS[0] && !MARGINS.contains(&margin) {
        margins[WIDTH - 1] = margin;
        margins.sort_unstable_by(|a, b| b.total_cmp(a));
    }
    margins
}

/// The last of the leading margins whose evidence has ever sufficed; 1 where the first hasn't.
pub(crate) fn proven(margins: &[f64; WIDTH], peaks: &[f64; WIDTH], alpha: f64) -> f64 {
    let threshold = threshold(alpha);
    let proven = peaks.iter().zip(margins).take_while(|(peak, _)| **peak >= threshold);
    proven.last().map_or(1.0, |(_, margin)| *margin)
}

/// The logarithm of a bucket's e-value against "worse by `margin` or more"; 0 when the guess itself is that bad.
pub(crate) fn log_factor(bucket: Bucket, share: f64, guess: Rates, margin: f64) -> f64 {
    if guess.canary >= guess.base + margin {
        return 0.0;
    }
    let t = project(share, guess, margin);
    log_ratio(bucket.canary, guess.canary, t + margin) + log_ratio(bucket.base, guess.base, t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proven_is_proven_for_good_and_what_is_told_is_followed() {
        let mut bound = HarmBound::telling(Arm::default(), 0.01);
        (0..400).for_each(|_| bound.update(Bucket::new(100, 0, 900, 0).unwrap()));
        let (told, other) = (bound.log_e(0.01).unwrap(), bound.log_e(0.02).unwrap());
        assert!(told > ENOUGH && other > ENOUGH, "{told} {other}");
        let upper = bound.upper(0.01);
        bound.update(Bucket::new(100, 100, 900, 0).unwrap());
        assert!(bound.log_e(0.01).unwrap() < told - 100.0);
        assert_eq!(bound.log_e(0.02), Some(other));
        assert_eq!(bound.upper(0.01), upper);
    }

    #[test]
    fn a_bound_that_was_kept_before_it_told_anything_is_read() {
        let mut bound = HarmBound::telling(Arm::default(), 0.01);
        bound.update(Bucket::new(10, 1, 90, 2).unwrap());
        let mut kept = serde_json::to_value(&bound).unwrap();
        kept.as_object_mut().unwrap().remove("told").unwrap();
        let read: HarmBound = serde_json::from_value(kept).unwrap();
        assert_eq!(read.upper(0.01), bound.upper(0.01));
        assert_eq!(read.log_e(0.01), bound.log_e(0.01));
    }
}
