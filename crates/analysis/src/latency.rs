//! Is the canary slower? Four thresholds, frozen from the base's p50, p90, p99 and p99.9 before the rollout, stand for
//! the whole distribution: a shift of the body shows at the first two, a longer tail at the last two.
//!
//! Per threshold, kernel K3 asks whether slow requests are more frequent on the canary, with starts for late
//! regressions; of the bands between the thresholds [`bands`](crate::bands) asks it all at once. The mean of the five e-values, by
//! weights that are fixed beforehand, is the evidence. Kernel K2 on the same counts shows at the first and third
//! threshold that the canary is not slower.
//!
//! Only warm requests belong here: a canary has just started, and its first requests say nothing about its code. To
//! accept a canary that is up to a tenth slower, count its requests above 1.1 times the threshold and the base's above
//! the threshold itself.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bands;
use crate::grid::SLOWER;
use crate::log_space::{combine, threshold};
use crate::restart::Starts;
use crate::two_by_two::Known;
use crate::{Arm, Bucket, HarmBound, Thresholds, Verdict};

/// The base's quantiles that the thresholds are frozen from.
pub const QUANTILES: [f64; COUNT] = [0.5, 0.9, 0.99, 0.999];

pub(crate) const COUNT: usize = 4;
/// Which of them show that the canary is not slower.
const BODY: usize = 0;
const TAIL: usize = 2;
/// What part of the evidence each threshold has. A shift of the whole body is what the bands see best, so most of the parts of p50
/// and p90 are theirs; both keep a little for slowness that ends at one of them.
pub const PARTS: [f64; COUNT] = [1.0 / 16.0, 1.0 / 16.0, 1.0 / 4.0, 1.0 / 4.0];
/// And the bands together.
pub const BANDS_PART: f64 = 3.0 / 8.0;
/// Judgements that began when there were thresholds alone go on as they began.
const ALIKE: f64 = 1.0 / COUNT as f64;
/// How many requests' worth of belief that the base stays at its quantiles.
const PRIOR_REQUESTS: u64 = 1_000;

/// More slow requests than requests, or more above a higher threshold than above a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("slow requests {above:?} among {requests} requests do not fall from threshold to threshold")]
pub struct NotFalling {
    pub requests: u64,
    pub above: [u64; COUNT],
}

/// How long one arm's warm requests took: how many there were, and how many of them were above each threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Counts", into = "Counts")]
pub struct Slow {
    requests: u64,
    above: [u64; COUNT],
}

impl Slow {
    pub fn new(requests: u64, above: [u64; COUNT]) -> Result<Slow, NotFalling> {
        let falls = above[0] <= requests && above.is_sorted_by(|a, b| a >= b);
        if falls { Ok(Slow { requests, above }) } else { Err(NotFalling { requests, above }) }
    }

    pub fn requests(self) -> u64 {
        self.requests
    }

    pub fn above(self) -> [u64; COUNT] {
        self.above
    }

    pub fn plus(self, other: Slow) -> Slow {
        let mut above = self.above;
        above.iter_mut().zip(other.above).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        Slow { requests: self.requests.saturating_add(other.requests), above }
    }

    fn arm(self, at: usize) -> Arm {
        Arm::new(self.requests, self.above[at.min(COUNT - 1)]).expect("slow requests are requests")
    }
}

/// How long the warm requests of both arms took in an interval with one traffic weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timed {
    pub canary: Slow,
    pub base: Slow,
}

impl Timed {
    pub fn plus(self, other: Timed) -> Timed {
        Timed { canary: self.canary.plus(other.canary), base: self.base.plus(other.base) }
    }

    /// Requests and those above one of the thresholds; above the last one for any beyond.
    pub fn at(self, threshold: usize) -> Bucket {
        Bucket { canary: self.canary.arm(threshold), base: self.base.arm(threshold) }
    }
}

/// By how much more often than the base's the canary's requests may be slow, as differences of shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyMargins {
    /// At the p50 threshold.
    pub body: f64,
    /// At the p99 threshold.
    pub tail: f64,
}

impl Default for LatencyMargins {
    fn default() -> Self {
        LatencyMargins { body: 0.06, tail: 0.012 }
    }
}

/// The tests of a release's latency, and what they have seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyJudge {
    slower: [Starts; COUNT],
    /// `None` in a judgement that began before bands were read together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bands: Option<Starts>,
    body: HarmBound,
    tail: HarmBound,
    seen: Timed,
}

/// What the latency says, with its numbers. Logarithms are natural.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencyFindings {
    pub verdict: Verdict,
    /// Evidence that the canary is slower; all of it, of each threshold, and of the bands together where they are read.
    pub log_e_slower: f64,
    pub log_e_at: [f64; COUNT],
    pub log_e_bands: Option<f64>,
    /// The canary's share of slow requests exceeds the base's by at most this much, at the p50 and the p99 threshold;
    /// 1 while nothing is known.
    pub body_upper: f64,
    pub tail_upper: f64,
    pub seen: Timed,
}

impl LatencyJudge {
    /// `margins` are those that the judgement will ask for.
    pub fn new(margins: LatencyMargins) -> LatencyJudge {
        let bound = |at: usize, margin| HarmBound::telling(prior(at), margin);
        LatencyJudge {
            slower: Default::default(),
            bands: Some(Starts::default()),
            body: bound(BODY, margins.body),
            tail: bound(TAIL, margins.tail),
            seen: Timed::default(),
        }
    }

    /// Takes in a bucket. One without both arms compares nothing and only counts.
    pub fn observe(&mut self, timed: Timed) {
        for (at, test) in self.slower.iter_mut().enumerate() {
            if let Some(steps) = steps(timed, at) {
                test.add(&steps);
            }
        }
        if let Some((test, steps)) = self.bands.as_mut().zip(bands::steps(timed)) {
            test.add(&steps);
        }
        self.body.update(timed.at(BODY));
        self.tail.update(timed.at(TAIL));
        self.seen = self.seen.plus(timed);
    }

    /// Watches for a regression that begins now.
    pub fn restart(&mut self) {
        self.slower.iter_mut().chain(&mut self.bands).for_each(Starts::restart);
    }

    pub fn seen(&self) -> Timed {
        self.seen
    }

    /// The evidence that the canary is slower: a mean, by weights that are fixed beforehand, of thresholds and bands.
    pub fn log_e_slower(&self) -> f64 {
        mean(self.log_e_at(), self.log_e_bands())
    }

    /// The same at each threshold.
    pub fn log_e_at(&self) -> [f64; COUNT] {
        self.slower.each_ref().map(|test| test.log_e(&SLOWER))
    }

    /// That of the bands together; `None` in a judgement that began before they were read.
    pub fn log_e_bands(&self) -> Option<f64> {
        self.bands.as_ref().map(|test| test.log_e(&SLOWER))
    }

    /// Of `thresholds` the margin, one of error rates, is not used.
    pub fn judge(&self, thresholds: &Thresholds, margins: LatencyMargins) -> LatencyFindings {
        let (log_e_at, log_e_bands) = (self.log_e_at(), self.log_e_bands());
        let log_e_slower = mean(log_e_at, log_e_bands);
        let (body_upper, tail_upper) =
            (self.body.upper(thresholds.alpha_promote), self.tail.upper(thresholds.alpha_promote));
        let verdict = if log_e_slower >= threshold(thresholds.alpha_rollback) {
            Verdict::Worse
        } else if body_upper <= margins.body && tail_upper <= margins.tail {
            Verdict::NotWorse
        } else {
            Verdict::Unknown
        };
        LatencyFindings {
            verdict,
            log_e_slower,
            log_e_at,
            log_e_bands,
            body_upper,
            tail_upper,
            seen: self.seen,
        }
    }
}

fn mean(log_e_at: [f64; COUNT], log_e_bands: Option<f64>) -> f64 {
    let [a, b, c, d] = log_e_at;
    match log_e_bands {
        Some(bands) => {
            combine(&[(PARTS[0], a), (PARTS[1], b), (PARTS[2], c), (PARTS[3], d), (BANDS_PART, bands)])
        }
        None => combine(&log_e_at.map(|log_e| (ALIKE, log_e))),
    }
}

/// The base's shares above its own quantiles.
static KNOWN: LazyLock<[Known; COUNT]> =
    LazyLock::new(|| QUANTILES.map(|quantile| Known::new(1.0 - quantile)));

/// What a bucket adds at a threshold; `None` when it compares nothing.
pub(crate) fn steps(timed: Timed, at: usize) -> Option<[f64; crate::grid::WIDTH]> {
    let bucket = timed.at(at);
    let share = bucket.share().filter(|_| bucket.compares())?;
    Some(KNOWN[at].increments(bucket, share))
}

/// The base before the rollout, which the thresholds were frozen from.
fn prior(at: usize) -> Arm {
    let slow = ((1.0 - QUANTILES[at]) * PRIOR_REQUESTS as f64).round() as u64;
    Arm::new(PRIOR_REQUESTS, slow).expect("a share of the requests")
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    requests: u64,
    above: [u64; COUNT],
}

impl TryFrom<Counts> for Slow {
    type Error = NotFalling;
    fn try_from(counts: Counts) -> Result<Slow, NotFalling> {
        Slow::new(counts.requests, counts.above)
    }
}

impl From<Slow> for Counts {
    fn from(slow: Slow) -> Counts {
        Counts { requests: slow.requests, above: slow.above }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { alpha_rollback: 0.001, alpha_promote: 0.01, margin: 0.005 };

    fn timed(canary: [u64; 4], base: [u64; 4]) -> Timed {
        Timed { canary: Slow::new(100, canary).unwrap(), base: Slow::new(900, base).unwrap() }
    }

    fn judged(timed: Timed, buckets: usize) -> LatencyFindings {
        let mut judge = LatencyJudge::new(LatencyMargins::default());
        (0..buckets).for_each(|_| judge.observe(timed));
        judge.judge(&THRESHOLDS, LatencyMargins::default())
    }

    #[test]
    fn slow_requests_are_requests_and_fall() {
        assert!(Slow::new(10, [11, 0, 0, 0]).is_err());
        assert!(Slow::new(10, [5, 6, 0, 0]).is_err());
        assert!(Slow::new(10, [10, 10, 10, 10]).is_ok());
        assert!(serde_json::from_str::<Slow>(r#"{"requests":1,"above":[0,1,0,0]}"#).is_err());
    }

    #[test]
    fn a_slower_body_and_a_longer_tail_are_worse() {
        assert_eq!(judged(timed([78, 25, 3, 0], [450, 90, 9, 1]), 3).verdict, Verdict::Worse);
        let tail = judged(timed([50, 10, 5, 2], [450, 90, 9, 1]), 20);
        assert_eq!(tail.verdict, Verdict::Worse);
        assert!(tail.log_e_at[2] > tail.log_e_at[0], "{tail:?}");
    }

    #[test]
    fn as_slow_as_the_base_is_not_worse_in_the_end() {
        assert_eq!(judged(timed([45, 8, 1, 0], [450, 90, 9, 1]), 1).verdict, Verdict::Unknown);
        let later = judged(timed([45, 8, 1, 0], [450, 90, 9, 1]), 40);
        assert_eq!(later.verdict, Verdict::NotWorse, "{later:?}");
    }

    #[test]
    fn a_part_is_not_more_than_its_share() {
        let parts = PARTS.iter().sum::<f64>() + BANDS_PART;
        assert_eq!(parts, 1.0);
        let found = judged(timed([78, 25, 3, 0], [450, 90, 9, 1]), 3);
        let bands = found.log_e_bands.unwrap();
        assert!(found.log_e_at.iter().all(|alone| *alone < bands), "{found:?}");
        assert!(found.log_e_slower > bands + BANDS_PART.ln() && found.log_e_slower < bands, "{found:?}");
    }

    #[test]
    fn a_judgement_that_began_without_bands_goes_on_without_them() {
        let mut judge = LatencyJudge::new(LatencyMargins::default());
        judge.observe(timed([60, 15, 2, 0], [450, 90, 9, 1]));
        let mut kept = serde_json::to_value(&judge).unwrap();
        kept.as_object_mut().unwrap().remove("bands").unwrap();
        let mut read: LatencyJudge = serde_json::from_value(kept.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), kept);
        for judge in [&mut judge, &mut read] {
            judge.restart();
            judge.observe(timed([60, 15, 2, 0], [450, 90, 9, 1]));
        }
        assert_eq!(read.log_e_at(), judge.log_e_at());
        assert_eq!(read.log_e_bands(), None);
        let mean = combine(&read.log_e_at().map(|log_e| (0.25, log_e)));
        assert_eq!(read.log_e_slower(), mean);
        assert_eq!(read.judge(&THRESHOLDS, LatencyMargins::default()).log_e_slower, mean);
    }

    #[test]
    fn nothing_seen_is_nothing_known() {
        let empty = judged(Timed::default(), 10);
        assert_eq!((empty.verdict, empty.body_upper, empty.tail_upper), (Verdict::Unknown, 1.0, 1.0));
        assert!(empty.log_e_slower.abs() < 1e-12);
    }
}
