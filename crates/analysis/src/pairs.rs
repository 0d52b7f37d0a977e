//! Requests that both arms answered: mirrored ones, and probes.
//!
//! Such a request falls on neither arm, so the other tests, which ask how events fall on the arms, can't take it. Two tests can, and neither asks
//! how the two answers depend on each other.
//!
//! *Worse*: if the canary fails no more often than the base on the same request, a pair that disagrees is against it with a chance of
//! at most one half, whatever the requests are (kernel K1 with that share).
//!
//! *Not worse by `margin`*: with D = 1 where the canary alone fails, -1 where the base alone does and 0 else, a factor `1 + bet (margin - D)` is never negative
//! for a bet below 1, and is expected to be at most 1 where D is expected to be the margin or more. So is the mean over some bets of the
//! products, with any weights. It depends on the three counts alone, so however pairs are gathered into looks, the same comes out.

use libm::{log, log1p};
use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::harm::{WIDTH, proven, watched};
use crate::log_space::log_sum_exp;
use crate::{Restarting, Thresholds};

/// What part of it is put on each pair, and its weight: large bets prove a margin quickly where hardly any pair disagrees, small ones where
/// many do. Where many do a smaller weight costs little of what has to be waited for anyway.
const BETS: [Bet; 5] = [bet(0.8, 8.0), bet(0.4, 4.0), bet(0.2, 2.0), bet(0.1, 1.0), bet(0.05, 1.0)];
/// Those of judges of before.
const BETS_BEFORE: [Bet; 6] =
    [bet(0.95, 1.0), bet(0.6, 1.0), bet(0.35, 1.0), bet(0.2, 1.0), bet(0.1, 1.0), bet(0.05, 1.0)];
/// What pairs have of the chance that a canary worse by the margin is promoted. The traffic has the rest.
pub const LEVEL_PART: f64 = 0.8;
const LEVEL_PART_BEFORE: f64 = 0.5;
/// Of pairs that disagree, those against a canary that is no worse.
const HALF: f64 = 0.5;

#[derive(Clone, Copy)]
struct Bet {
    part: f64,
    weight: f64,
}

const fn bet(part: f64, weight: f64) -> Bet {
    Bet { part, weight }
}

/// Pairs of answers to the same request, and those of them where one arm alone failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pairs {
    /// All of them, those that agree too.
    pub pairs: u64,
    /// The canary failed and the base didn't.
    pub canary_alone: u64,
    /// The base failed and the canary didn't.
    pub base_alone: u64,
}

impl Pairs {
    #[must_use]
    pub fn plus(self, other: Pairs) -> Pairs {
        Pairs {
            pairs: self.pairs.saturating_add(other.pairs),
            canary_alone: self.canary_alone.saturating_add(other.canary_alone),
            base_alone: self.base_alone.saturating_add(other.base_alone),
        }
    }

    pub fn is_empty(self) -> bool {
        self == Pairs::default()
    }
}

/// Both tests, and what they have seen. A margin that was proven once stays proven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairJudge {
    worse: Restarting,
    /// The one that the judgement asks for, which is watched beside the grid's.
    margin: Exact<1>,
    /// The most that the evidence for each margin has come to.
    peaks: Exact<WIDTH>,
    seen: Pairs,
    /// Large bets have more weight, and pairs more of the level than the traffic. Not so in judges of before, which end as they have begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_uneven: bool,
}

/// What pairs say. Logarithms are natural.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairFindings {
    pub seen: Pairs,
    /// Evidence that the canary fails more often.
    pub log_e_worse: f64,
    /// Evidence that it isn't worse by the margin.
    pub log_e_not_worse: f64,
    /// It fails more often than the base by at most this part of the pairs; 1 while nothing is known.
    pub harm_upper: f64,
}

impl PairJudge {
    /// `margin` is the one that the judgement will ask for; others are watched on the grid of [`MARGINS`](crate::harm::MARGINS).
    pub fn new(margin: f64) -> PairJudge {
        let margin = if margin.is_finite() { margin } else { 0.0 };
        let (worse, peaks, seen) = (Restarting::default(), Exact::ZERO, Pairs::default());
        PairJudge { worse, margin: Exact([margin]), peaks, seen, is_uneven: true }
    }

    /// Takes in what was seen since the last look. Every pair that disagrees is one, whatever their number says.
    pub fn observe(&mut self, seen: Pairs) {
        let disagreeing = seen.canary_alone.saturating_add(seen.base_alone);
        let seen = Pairs { pairs: seen.pairs.max(disagreeing), ..seen };
        if seen.is_empty() {
            return;
        }
        self.worse.update(seen.canary_alone, seen.base_alone, HALF);
        self.seen = self.seen.plus(seen);
        let bets = self.bets();
        for (peak, margin) in self.peaks.iter_mut().zip(*watched(self.margin[0])) {
            if margin > 0.0 {
                *peak = peak.max(log_e_not_worse(bets, self.seen, margin));
            }
        }
    }

    /// Watches for a regression that begins now; see [`Restarting`].
    pub fn restart(&mut self) {
        self.worse.restart();
    }

    pub fn seen(&self) -> Pairs {
        self.seen
    }

    /// The evidence that the canary fails more often than the base.
    pub fn log_e_worse(&self) -> f64 {
        self.worse.log_e()
    }

    /// A bound on (canary's error rate - base's) that holds at all times at once, with probability at least `1 - alpha`; 1 while
    /// nothing is proven.
    pub fn upper(&self, alpha: f64) -> f64 {
        proven(&watched(self.margin[0]), &self.peaks, alpha)
    }

    /// What pairs say, where they are asked at these levels.
    pub fn findings(&self, thresholds: &Thresholds) -> PairFindings {
        PairFindings {
            seen: self.seen,
            log_e_worse: self.log_e_worse(),
            log_e_not_worse: log_e_not_worse(self.bets(), self.seen, thresholds.margin),
            harm_upper: self.upper(thresholds.alpha_promote),
        }
    }

    /// What part of the level these pairs are asked at; the traffic has the rest.
    pub fn level_part(&self) -> f64 {
        if self.is_uneven { LEVEL_PART } else { LEVEL_PART_BEFORE }
    }

    fn bets(&self) -> &'static [Bet] {
        if self.is_uneven { &BETS } else { &BETS_BEFORE }
    }
}

/// The logarithm of the e-process against "worse by `margin` or more", whose margin lies in 0 to 1.
fn log_e_not_worse(bets: &[Bet], seen: Pairs, margin: f64) -> f64 {
    let disagreeing = seen.canary_alone.saturating_add(seen.base_alone);
    let agreeing = seen.pairs.saturating_sub(disagreeing) as f64;
    let (canary, base) = (seen.canary_alone as f64, seen.base_alone as f64);
    let of = |bet: &Bet| {
        log(bet.weight)
            + canary * log1p(bet.part * (margin - 1.0))
            + base * log1p(bet.part * (margin + 1.0))
            + agreeing * log1p(bet.part * margin)
    };
    log_sum_exp(|| bets.iter().map(of)) - log(bets.iter().map(|bet| bet.weight).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const THRESHOLDS: Thresholds = Thresholds { alpha_rollback: 0.001, alpha_promote: 0.01, margin: 0.005 };

    fn pairs(pairs: u64, canary_alone: u64, base_alone: u64) -> Pairs {
        Pairs { pairs, canary_alone, base_alone }
    }

    /// After how many pairs a condition holds, each of which is the same.
    fn after(seen: Pairs, holds: impl Fn(&PairJudge) -> bool) -> u32 {
        until(PairJudge::new(THRESHOLDS.margin), seen, holds)
    }

    fn until(mut judge: PairJudge, seen: Pairs, holds: impl Fn(&PairJudge) -> bool) -> u32 {
        let mut count = 0;
        while !holds(&judge) {
            judge.observe(seen);
            count += 1;
        }
        count
    }

    #[test]
    fn a_dozen_failures_convict_and_some_hundred_agreements_clear() {
        let is_worse = |judge: &PairJudge| judge.log_e_worse() >= crate::threshold(0.001);
        assert_eq!(after(pairs(1, 1, 0), is_worse), 13);
        let is_cleared = |judge: &PairJudge| judge.upper(0.01) <= THRESHOLDS.margin;
        assert_eq!(after(pairs(1, 0, 0), is_cleared), 1_317);
        // Whatever part of the requests fails, what both fail clears as well.
        assert_eq!(after(pairs(1, 0, 0), |judge| judge.upper(0.01) < 1.0), 10);
    }

    /// What has begun with bets that are all alike ends with them, and with half of the level, so that it can't be proven by the one and
    /// then by the other.
    #[test]
    fn a_judge_of_before_goes_on_as_it_began() {
        let judge = PairJudge::new(0.005);
        let mut written = serde_json::to_value(&judge).unwrap();
        assert!(written.as_object_mut().unwrap().remove("is_uneven").is_some());
        let old: PairJudge = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&old).unwrap(), written);
        let clears = |judge: &PairJudge| {
            let level = THRESHOLDS.alpha_promote * judge.level_part();
            until(judge.clone(), pairs(1, 0, 0), |judge| judge.upper(level) <= THRESHOLDS.margin)
        };
        assert_eq!((old.level_part(), clears(&old)), (0.5, 1_477));
        assert_eq!((judge.level_part(), clears(&judge)), (0.8, 1_374));
        let margins = [0.001, 0.005, 0.1];
        let of_before = [0.010_682_821_067_716_342, 5.972_428_903_178_64, 265.655_289_489_126_9];
        let found = margins.map(|margin| log_e_not_worse(old.bets(), pairs(3_000, 3, 2), margin));
        assert_eq!(found, of_before);
    }

    #[test]
    fn what_is_proven_stays_proven() {
        let mut judge = PairJudge::new(0.007);
        judge.observe(pairs(2_000, 0, 0));
        let upper = judge.upper(0.01);
        assert!(upper <= 0.007, "{upper}");
        judge.observe(pairs(500, 500, 0));
        assert_eq!(judge.upper(0.01), upper);
        let found = judge.findings(&THRESHOLDS);
        assert!(found.log_e_not_worse < 0.0 && found.log_e_worse > 100.0, "{found:?}");
    }

    #[test]
    fn a_late_fault_is_found_beside_a_long_good_service() {
        let (mut plain, mut mixed) = (PairJudge::new(0.005), PairJudge::new(0.005));
        for _ in 0..60 {
            plain.observe(pairs(300, 0, 2));
            mixed.observe(pairs(300, 0, 2));
            mixed.restart();
        }
        plain.observe(pairs(30, 20, 0));
        mixed.observe(pairs(30, 20, 0));
        assert!(mixed.log_e_worse() > plain.log_e_worse() + 3.0);
    }

    proptest! {
        #[test]
        fn no_counts_make_a_nan_and_every_bit_survives(
            looks in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 1..6), margin in 0.001..0.9f64,
        ) {
            let mut judge = PairJudge::new(margin);
            for (all, canary, base) in looks {
                judge.observe(pairs(all, canary, base));
                judge.restart();
                let found = judge.findings(&Thresholds { margin, ..THRESHOLDS });
                prop_assert!(found.log_e_worse.is_finite() && found.log_e_not_worse.is_finite(), "{found:?}");
                prop_assert!(found.seen.pairs >= found.seen.canary_alone.max(found.seen.base_alone));
                let text = serde_json::to_string(&judge).unwrap();
                let read: PairJudge = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
                prop_assert_eq!(&read, &judge);
            }
        }

        #[test]
        fn looks_may_be_cut_anywhere(looks in prop::collection::vec((0..40_u64, 0..5_u64, 0..5_u64), 1..20)) {
            let (mut apart, mut sum) = (PairJudge::new(0.005), Pairs::default());
            for (agreeing, canary, base) in looks {
                let seen = pairs(agreeing + canary + base, canary, base);
                apart.observe(seen);
                sum = sum.plus(seen);
            }
            let mut together = PairJudge::new(0.005);
            together.observe(sum);
            let (apart, together) = (apart.findings(&THRESHOLDS), together.findings(&THRESHOLDS));
            prop_assert_eq!(apart.log_e_not_worse.to_bits(), together.log_e_not_worse.to_bits());
            prop_assert!((apart.log_e_worse - together.log_e_worse).abs() < 1e-9);
        }
    }
}
