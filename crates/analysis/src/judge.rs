//! The error rate of a release: every test that bears on it, fed together and read as one. With latency and routes it
//! makes a [`Release`](crate::Release).

use serde::{Deserialize, Serialize};

use crate::broken::{BrokenTest, with_broken};
use crate::cluster::Firsts;
use crate::interval::{self, Interval};
use crate::log_space::threshold;
use crate::{Arm, Bucket, HarmBound, LatencyFindings, PairFindings, RatioSequence, Restarting, ShareTest};

/// An e-value of 10,000 says that requests are not split as configured.
pub const SPLIT_ALPHA: f64 = 1.0e-4;
/// The level of the intervals in reports: 95 %.
pub const REPORT_ALPHA: f64 = 0.05;

/// What the evidence says about the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It fails, or answers slowly, more often than the base.
    Worse,
    /// Everything that is judged is less than its margin above the base's.
    NotWorse,
    /// Not enough evidence for either.
    Unknown,
}

/// How sure is sure enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// The chance that an equally good canary is ever called worse.
    pub alpha_rollback: f64,
    /// The chance that a canary worse by the margin is ever called not worse.
    pub alpha_promote: f64,
    /// The difference of error rates that is still accepted.
    pub margin: f64,
}

/// The tests of a release's error rate, and what they have seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorJudge {
    worse: Restarting,
    /// `None` where users keep an arm, whose requests aren't drawn, and in judges of before there was such a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    broken: Option<BrokenTest>,
    harm: HarmBound,
    split: ShareTest,
    ratio: RatioSequence,
    seen: Bucket,
    /// Where users keep an arm: how many had their first event. Then these are compared, not requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    firsts: Option<Firsts>,
}

/// A verdict with the numbers that it rests on. Logarithms are natural.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Findings {
    pub verdict: Verdict,
    /// Evidence that the canary is worse in anything that is judged, and what it must reach.
    pub log_e_worse: f64,
    pub threshold_worse: f64,
    /// Evidence that its error rate is not worse by the margin, by the traffic or by pairs, and what it must reach.
    pub log_e_not_worse: f64,
    pub threshold_not_worse: f64,
    /// The canary's error rate exceeds the base's by at most this much; 1 while nothing is known.
    pub harm_upper: f64,
    /// Evidence that requests are not split as configured, and whether it suffices.
    pub log_e_split: f64,
    pub split_broken: bool,
    /// `None` where latency is not judged.
    pub latency: Option<LatencyFindings>,
    /// `None` where no pairs are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairFindings>,
}

/// A verdict with the numbers that it rests on, and intervals for reports. Logarithms are natural.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Judgement {
    pub verdict: Verdict,
    /// Evidence that the canary is worse in anything that is judged, and what it must reach.
    pub log_e_worse: f64,
    pub threshold_worse: f64,
    /// Evidence that its error rate is not worse by the margin, by the traffic or by pairs, and what it must reach.
    pub log_e_not_worse: f64,
    pub threshold_not_worse: f64,
    /// The canary's error rate exceeds the base's by at most this much; 1 while nothing is known.
    pub harm_upper: f64,
    /// Evidence that requests are not split as configured, and whether it suffices.
    pub log_e_split: f64,
    pub split_broken: bool,
    pub canary: Seen,
    pub base: Seen,
    /// Canary's error rate over the base's, 95 % at all times; `None` before any error.
    pub ratio: Option<Interval>,
    /// `None` where latency is not judged.
    pub latency: Option<LatencyFindings>,
    /// `None` where no pairs are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairFindings>,
}

/// An arm's counts and where its rate lies, 95 % at all times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Seen {
    pub requests: u64,
    pub events: u64,
    pub rate: Interval,
}

impl ErrorJudge {
    /// `history` is what the base did before the rollout. `margin` is the one that the judgement will ask for.
    pub fn new(history: Arm, margin: f64) -> ErrorJudge {
        ErrorJudge {
            worse: Restarting::default(),
            broken: Some(BrokenTest::default()),
            harm: HarmBound::telling(history, margin),
            split: ShareTest::split(),
            ratio: RatioSequence::default(),
            seen: Bucket::default(),
            firsts: None,
        }
    }

    /// The same where users keep an arm, so that requests aren't shared out by themselves: what is compared are users' first events
    /// ([`observe_firsts`](ErrorJudge::observe_firsts)). Requests still bound the harm, and are counted. How they are split says
    /// nothing there, however many they are: few users make most of them.
    pub fn of_users(history: Arm, margin: f64) -> ErrorJudge {
        ErrorJudge { broken: None, firsts: Some(Firsts::default()), ..ErrorJudge::new(history, margin) }
    }

    /// Takes in what was seen under a configured weight, 0 to 1. A bucket without both arms compares nothing and only
    /// counts.
    pub fn observe(&mut self, bucket: Bucket, weight: f64) {
        let Bucket { canary, base } = bucket;
        if self.firsts.is_none() {
            if let Some(share) = bucket.share() {
                self.worse.update(canary.events(), base.events(), share);
            }
            self.broken.iter_mut().for_each(|broken| broken.update(bucket, weight));
            self.split.update(canary.requests(), base.requests(), weight);
            self.ratio.update(canary.events(), base.events(), weight);
        }
        self.harm.update(bucket);
        self.seen = self.seen.plus(bucket);
    }

    /// Takes in users' first events under a configured weight, 0 to 1; nothing where requests are compared. Whoever has his first
    /// event is the canary's with just the weight of that moment, so no requests are needed, and one event is a legal bucket.
    pub fn observe_firsts(&mut self, seen: Firsts, weight: f64) {
        let Some(firsts) = &mut self.firsts else { return };
        *firsts = firsts.plus(seen);
        self.worse.update(seen.canary, seen.base, weight);
        self.ratio.update(seen.canary, seen.base, weight);
    }

    /// From here on a user's first event may be one that was counted before: what was gathered stays as it is, and the
    /// comparison begins anew beside it.
    pub fn forget(&mut self) {
        self.worse.settle();
    }

    /// Users that had their first event; `None` where requests are compared.
    pub fn firsts(&self) -> Option<Firsts> {
        self.firsts
    }

    /// Watches for a regression that begins now; see [`Restarting`].
    pub fn restart(&mut self) {
        self.worse.restart();
    }

    pub fn seen(&self) -> Bucket {
        self.seen
    }

    /// The evidence that the canary's error rate is higher.
    pub fn log_e_worse(&self) -> f64 {
        with_broken(self.worse.log_e(), self.broken.as_ref())
    }

    /// What the error rate says, without the intervals that only reports need.
    pub fn findings(&self, thresholds: &Thresholds) -> Findings {
        let log_e_worse = self.log_e_worse();
        let threshold_worse = threshold(thresholds.alpha_rollback);
        let harm_upper = self.harm.upper(thresholds.alpha_promote);
        let log_e_split = self.split.log_e();
        let verdict = if log_e_worse >= threshold_worse {
            Verdict::Worse
        } else if harm_upper <= thresholds.margin {
            Verdict::NotWorse
        } else {
            Verdict::Unknown
        };
        Findings {
            verdict,
            log_e_worse,
            threshold_worse,
            log_e_not_worse: self.harm.log_e(thresholds.margin).unwrap_or(0.0),
            threshold_not_worse: threshold(thresholds.alpha_promote),
            harm_upper,
            log_e_split,
            split_broken: log_e_split >= threshold(SPLIT_ALPHA),
            latency: None,
            pairs: None,
        }
    }

    pub fn judge(&self, thresholds: &Thresholds) -> Judgement {
        self.report(self.findings(thresholds))
    }

    /// Findings with what reports need besides.
    pub(crate) fn report(&self, found: Findings) -> Judgement {
        Judgement {
            verdict: found.verdict,
            log_e_worse: found.log_e_worse,
            threshold_worse: found.threshold_worse,
            log_e_not_worse: found.log_e_not_worse,
            threshold_not_worse: found.threshold_not_worse,
            harm_upper: found.harm_upper,
            log_e_split: found.log_e_split,
            split_broken: found.split_broken,
            canary: Seen::new(self.seen.canary),
            base: Seen::new(self.seen.base),
            ratio: self.ratio.interval(REPORT_ALPHA),
            latency: found.latency,
            pairs: found.pairs,
        }
    }
}

impl Seen {
    fn new(arm: Arm) -> Seen {
        Seen { requests: arm.requests(), events: arm.events(), rate: interval::rate(arm, REPORT_ALPHA) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four_failures(mut judge: ErrorJudge) -> ErrorJudge {
        judge.observe(Bucket::new(4, 4, 36, 0).expect("fewer events than requests"), 0.1);
        judge
    }

    #[test]
    fn all_draws_have_a_quarter_where_requests_are_drawn() {
        let judge = ErrorJudge::new(Arm::default(), 0.005);
        let without = four_failures(ErrorJudge { broken: None, ..judge.clone() }).log_e_worse();
        let with = four_failures(judge).log_e_worse();
        assert!(with > without + 2.0, "{with} {without}");
        let users = ErrorJudge::of_users(Arm::default(), 0.005);
        assert_eq!(
            four_failures(users.clone()).log_e_worse(),
            users.log_e_worse(),
            "who keeps an arm isn't drawn anew"
        );
    }

    /// What has begun without the test ends without it.
    #[test]
    fn a_judge_of_before_goes_on_with_the_share_alone() {
        let judge = ErrorJudge::new(Arm::default(), 0.005);
        let mut written = serde_json::to_value(&judge).expect("it can be written");
        assert!(written.as_object_mut().expect("fields").remove("broken").is_some());
        let old: ErrorJudge = serde_json::from_value(written.clone()).expect("it can be read");
        assert_eq!(serde_json::to_value(&old).expect("it can be written"), written);
        assert_eq!(old, ErrorJudge { broken: None, ..judge });
    }
}
