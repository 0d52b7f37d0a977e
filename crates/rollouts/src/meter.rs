//! From counts that only grow to buckets that never straddle a change of weight.

use pitbird_analysis::{Arm, Bucket, Pairs};
use pitbird_names::Percent;
use pitbird_records::rollout::{CanaryUse, ColdStarts};
use pitbird_rollout::Observed;
use pitbird_telemetry::tally::{Arms, Beyond, Classes, Counted, FirstFailures, Paired};

use crate::{ArmCounts, Counts};

/// What is counted at a moment: by the target's own counters, and by the rollout's tally.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Now {
    pub counts: Counts,
    pub counted: Counted,
}

/// What was already told of a target's counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meter {
    told: Now,
    /// Counted under an earlier weight, while the change to the present one was being committed.
    earlier: Option<Seen>,
    /// Who failed before the next reading is no longer known.
    has_forgotten: bool,
}

/// What is new, and the meter as it will be once that is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// By weight; at least one of its counts isn't 0.
    pub seen: Vec<Seen>,
    /// What the canary has used.
    pub canary_use: CanaryUse,
    /// Requests that both arms answered, whatever the weight was.
    pub paired: Paired,
    /// Since the reading before it was forgotten who has failed: whoever is among the first failures may have been so already.
    pub has_forgotten: bool,
    after: Meter,
}

/// What was counted under one weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub percent: Percent,
    pub bucket: Bucket,
    /// The tally's counts: of all requests, and of each route.
    pub arms: Arms,
    pub routes: Vec<Arms>,
    /// Warm requests above the plan's limits on latency.
    pub beyond: Beyond,
    /// Clients who failed for the first time, where they are counted.
    pub firsts: Option<FirstFailures>,
}

impl Meter {
    /// A meter that leaves out what was counted so far.
    pub fn from(told: Now) -> Meter {
        Meter { told, earlier: None, has_forgotten: false }
    }

    /// The same where another server, or driver, counted until now: nobody here knows who failed then.
    pub fn forgetful(self) -> Meter {
        Meter { has_forgotten: true, ..self }
    }

    /// A meter that waits: nothing is on trial before [`Meter::begin`], so nobody asks what routes had.
    pub fn wait(mut told: Now) -> Meter {
        told.counted.routes = Vec::new();
        Meter::from(told)
    }

    /// A meter of what is on trial from now on, `told` having been counted when it was live. What the canary has used counts since the
    /// reading before: it was used by nobody else.
    pub fn begin(mut told: Now, before: Option<&Reading>) -> Meter {
        if let Some(before) = before {
            told.counts.canary_use = before.after.told.counts.canary_use;
        }
        Meter::from(told)
    }

    /// What was counted since the last reading that was kept, the present weight being `percent`.
    pub fn read(&self, now: Now, percent: Percent) -> Reading {
        let canary_use = now.counts.canary_use.since(self.told.counts.canary_use);
        let paired = now.counted.pairs.since(self.told.counted.pairs);
        let memory = |now: &Now| now.counted.firsts.as_ref().map(|firsts| firsts.memory);
        let is_new = memory(&self.told).is_some_and(|told| memory(&now) != Some(told));
        let (fresh, told) = Seen::since(&self.told, now, percent);
        let seen = self.earlier.iter().cloned().chain([fresh]).filter(|seen| !seen.is_empty()).collect();
        let has_forgotten = self.has_forgotten || is_new;
        Reading { seen, canary_use, paired, has_forgotten, after: Meter::from(told) }
    }

    /// The reading is durable; the weight stayed as it was.
    pub fn keep(&mut self, reading: Reading) {
        *self = reading.after;
    }

    /// The reading is durable, and the weight is no longer `percent`; `now` was counted when the new one was live.
    pub fn turn(&mut self, reading: Reading, percent: Percent, now: Now) {
        let (earlier, mut told) = Seen::since(&reading.after.told, now, percent);
        // What is used has no weight that it belongs to, and pairs have none: they are told with the next reading.
        told.counts.canary_use = reading.after.told.counts.canary_use;
        told.counted.pairs = reading.after.told.counted.pairs;
        *self = Meter { earlier: Some(earlier).filter(|seen| !seen.is_empty()), ..Meter::from(told) };
    }
}

impl Reading {
    pub fn buckets(&self) -> Vec<Observed> {
        let buckets = self.seen.iter().map(|seen| Observed { percent: seen.percent, bucket: seen.bucket });
        buckets.filter(|seen| !is_empty(seen.bucket)).collect()
    }

    pub fn pairs(&self) -> Pairs {
        let Paired { alike, canary_alone, base_alone } = self.paired;
        Pairs { pairs: alike + canary_alone + base_alone, canary_alone, base_alone }
    }

    /// What was counted when it was taken.
    pub fn now(&self) -> Now {
        self.after.told.clone()
    }

    /// Requests that began an environment.
    pub fn cold_starts(&self) -> ColdStarts {
        let of = |arm: fn(&Arms) -> Classes| self.seen.iter().map(|seen| arm(&seen.arms).cold()).sum();
        ColdStarts { base: of(|arms| arms.base), canary: of(|arms| arms.canary) }
    }

    /// From how many clients the canary's failures came, as far as that is known.
    pub fn failing_clients(&self) -> Option<u32> {
        self.after.told.counted.failing_clients
    }

    pub fn failing_environments(&self) -> Option<u32> {
        self.after.told.counted.failing_environments
    }
}

impl Seen {
    fn since(told: &Now, now: Now, percent: Percent) -> (Seen, Now) {
        let (bucket, counts) = since(told.counts, now.counts);
        let arms = now.counted.all.since(told.counted.all);
        let beyond = now.counted.beyond.since(told.counted.beyond);
        let firsts = now.counted.firsts.as_ref().map(|now| now.since(told.counted.firsts.as_ref()));
        let before = told.counted.routes.iter().copied().chain(std::iter::repeat(Arms::default()));
        let routes = now.counted.routes.iter().zip(before).map(|(now, told)| now.since(told)).collect();
        (Seen { percent, bucket, arms, routes, beyond, firsts }, Now { counts, counted: now.counted })
    }

    fn is_empty(&self) -> bool {
        let has_firsts = self.firsts.as_ref().is_some_and(|firsts| !firsts.is_empty());
        is_empty(self.bucket) && self.arms.is_empty() && self.beyond.is_empty() && !has_firsts
    }
}

fn since(told: Counts, now: Counts) -> (Bucket, Counts) {
    let (base, told_base) = arm_since(told.base, now.base);
    let (canary, told_canary) = arm_since(told.canary, now.canary);
    (Bucket { canary, base }, Counts { base: told_base, canary: told_canary, canary_use: now.canary_use })
}

/// An arm's news, and what was told with it. A number that fell belongs to a counter that began again from 0. A failure
/// that was counted just before its request waits for it.
fn arm_since(told: ArmCounts, now: ArmCounts) -> (Arm, ArmCounts) {
    let began_again = now.requests < told.requests || now.failures < told.failures;
    let told = if began_again { ArmCounts::default() } else { told };
    let requests = now.requests - told.requests;
    let failures = (now.failures - told.failures).min(requests);
    let arm = Arm::new(requests, failures).expect("failures are at most the requests");
    (arm, ArmCounts { requests: now.requests, failures: told.failures + failures })
}

fn is_empty(bucket: Bucket) -> bool {
    bucket.canary.requests() == 0 && bucket.base.requests() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(base: (u64, u64), canary: (u64, u64)) -> Now {
        let arm = |(requests, failures)| ArmCounts { requests, failures };
        let canary_use = CanaryUse { requests: canary.0, ..CanaryUse::default() };
        let counts = Counts { base: arm(base), canary: arm(canary), canary_use };
        Now { counts, counted: Counted::default() }
    }

    fn percent(value: f64) -> Percent {
        Percent::new(value).unwrap()
    }

    fn observed(share: f64, n_c: u64, k_c: u64, n_b: u64, k_b: u64) -> Observed {
        Observed { percent: percent(share), bucket: Bucket::new(n_c, k_c, n_b, k_b).unwrap() }
    }

    #[test]
    fn a_reading_that_was_not_kept_comes_again() {
        let mut meter = Meter::from(counts((100, 1), (0, 0)));
        let first = meter.read(counts((190, 2), (10, 3)), percent(10.0));
        assert_eq!(first.buckets(), [observed(10.0, 10, 3, 90, 1)]);
        let again = meter.read(counts((280, 2), (20, 3)), percent(10.0));
        assert_eq!(again.buckets(), [observed(10.0, 20, 3, 180, 1)]);
        meter.keep(again);
        assert_eq!(meter.read(counts((280, 2), (20, 3)), percent(10.0)).buckets(), []);
    }

    #[test]
    fn what_came_during_the_change_belongs_to_the_old_weight() {
        let mut meter = Meter::default();
        let reading = meter.read(counts((90, 0), (10, 0)), percent(10.0));
        meter.turn(reading, percent(10.0), counts((99, 0), (11, 1)));
        let next = meter.read(counts((109, 0), (21, 1)), percent(50.0));
        assert_eq!(next.buckets(), [observed(10.0, 1, 1, 9, 0), observed(50.0, 10, 0, 10, 0)]);
        meter.keep(next);
        assert_eq!(
            meter.read(counts((109, 0), (22, 1)), percent(50.0)).buckets(),
            [observed(50.0, 1, 0, 0, 0)]
        );
    }

    #[test]
    fn what_the_canary_uses_is_told_once() {
        let mut meter = Meter::from(counts((0, 0), (5, 0)));
        let mut told = 0;
        let mut tell = |reading: &Reading| told += reading.canary_use.requests;
        let not_kept = meter.read(counts((90, 0), (10, 0)), percent(10.0));
        assert_eq!(not_kept.canary_use.requests, 5);
        let reading = meter.read(counts((90, 0), (15, 0)), percent(10.0));
        tell(&reading);
        meter.turn(reading, percent(10.0), counts((99, 0), (17, 0)));
        for requests in [20, 3, 4] {
            let reading = meter.read(counts((109, 0), (requests, 0)), percent(50.0));
            tell(&reading);
            meter.keep(reading);
        }
        assert_eq!(told, (20 - 5) + 3 + 1, "of the old weight, too, and from 0 after a restart");
    }

    /// Counts with so many first failures of the canary, in a cell and a memory.
    fn failing(canary: u64, cell: u32, memory: u32) -> Now {
        let all = pitbird_telemetry::tally::Failed { base: 0, canary };
        let firsts = FirstFailures { memory, cell, all, routes: Vec::new() };
        let now = counts((0, 0), (0, 0));
        Now { counted: Counted { firsts: Some(firsts), ..now.counted }, ..now }
    }

    #[test]
    fn first_failures_belong_to_the_weight_that_they_were_counted_under() {
        let firsts = |reading: &Reading| -> Vec<(f64, u64)> {
            let of = |seen: &Seen| (seen.percent.get(), seen.firsts.as_ref().unwrap().all.canary);
            reading.seen.iter().map(of).collect()
        };
        let mut meter = Meter::begin(failing(0, 1, 0), None);
        let reading = meter.read(failing(2, 1, 0), percent(10.0));
        assert_eq!((firsts(&reading), reading.has_forgotten), (vec![(10.0, 2)], false));
        meter.turn(reading, percent(10.0), failing(3, 1, 0));
        let reading = meter.read(failing(4, 2, 0), percent(50.0));
        assert_eq!(firsts(&reading), [(10.0, 1), (50.0, 4)]);
        meter.keep(reading);
        assert!(meter.read(failing(4, 2, 0), percent(50.0)).seen.is_empty());
        for _ in 0..2 {
            let reading = meter.read(failing(1, 3, 1), percent(50.0));
            assert_eq!(
                (firsts(&reading), reading.has_forgotten),
                (vec![(50.0, 1)], true),
                "until it is kept"
            );
        }
        meter.keep(meter.read(failing(1, 3, 1), percent(50.0)));
        let reading = meter.read(failing(2, 3, 1), percent(50.0));
        assert_eq!((firsts(&reading), reading.has_forgotten), (vec![(50.0, 1)], false));
        assert!(Meter::default().forgetful().read(failing(1, 3, 0), percent(50.0)).has_forgotten);
    }

    #[test]
    fn pairs_are_told_once_whatever_the_weight_is() {
        let paired = |alike, canary_alone| Now {
            counted: Counted { pairs: Paired { alike, canary_alone, base_alone: 0 }, ..Counted::default() },
            ..Now::default()
        };
        let mut meter = Meter::begin(paired(7, 1), None);
        assert_eq!(meter.read(paired(9, 2), percent(0.0)).pairs().pairs, 3);
        let reading = meter.read(paired(10, 2), percent(0.0));
        assert_eq!(reading.pairs(), Pairs { pairs: 4, canary_alone: 1, base_alone: 0 });
        meter.turn(reading, percent(0.0), paired(11, 3));
        let reading = meter.read(paired(12, 3), percent(10.0));
        assert_eq!(reading.pairs(), Pairs { pairs: 3, canary_alone: 1, base_alone: 0 });
        meter.keep(reading);
        let reading = meter.read(paired(2, 0), percent(10.0));
        assert_eq!(reading.pairs(), Pairs { pairs: 2, canary_alone: 0, base_alone: 0 }, "begun again from 0");
        assert!(meter.read(paired(12, 3), percent(10.0)).pairs().is_empty());
    }

    #[test]
    fn a_counter_may_begin_again() {
        let meter = Meter::from(counts((100, 5), (50, 5)));
        let reading = meter.read(counts((110, 5), (7, 1)), percent(10.0));
        assert_eq!(reading.buckets(), [observed(10.0, 7, 1, 10, 0)]);
    }

    #[test]
    fn a_failure_waits_for_its_request() {
        let mut meter = Meter::default();
        let reading = meter.read(counts((0, 0), (1, 2)), percent(10.0));
        assert_eq!(reading.buckets(), [observed(10.0, 1, 1, 0, 0)]);
        meter.keep(reading);
        let reading = meter.read(counts((0, 0), (2, 2)), percent(10.0));
        assert_eq!(reading.buckets(), [observed(10.0, 1, 1, 0, 0)]);
    }
}
