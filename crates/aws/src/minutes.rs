//! Sums of minutes to evidence.
//!
//! CloudWatch counts by minutes and is late. So a minute counts once, when nothing more is expected of it, and only if one weight
//! held from its first second to its last: what came while the weight changed is left out, for the planner compares what was drawn
//! under the same odds. Minutes count in their order, so that one number says how far was counted.

use std::collections::BTreeMap;

use pitbird_analysis::{Arm, Bucket};
use pitbird_names::Percent;
use pitbird_rollout::Observed;
use serde::{Deserialize, Serialize};

pub const MINUTE_MS: u64 = 60_000;
/// After a change was confirmed, AWS may go on for so long by the old weight, ms; clocks may differ by as much.
pub const SPREAD_MS: u64 = 5_000;
/// A minute of both arms that stayed the same for so long is complete, ms.
pub const QUIET_MS: u64 = 30_000;
/// After so long a minute is taken as it is, ms.
pub const LAG_MS: u64 = 180_000;
/// Minutes asked for at once at most; CloudWatch gives more, the bound is ours.
pub const MINUTES_MAX: u64 = 720;

/// Requests and failures of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    pub requests: u64,
    pub failures: u64,
}

/// A minute as CloudWatch has it: the target's whole traffic, and the canary's part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Minute {
    pub all: Sums,
    pub canary: Sums,
}

impl Minute {
    /// Both arms; `None` while the sums contradict each other, as they do when one series is ahead of another.
    pub fn bucket(self) -> Option<Bucket> {
        let requests = self.all.requests.checked_sub(self.canary.requests)?;
        let failures = self.all.failures.checked_sub(self.canary.failures)?;
        Bucket::new(self.canary.requests, self.canary.failures, requests, failures).ok()
    }
}

/// The weight from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    pub percent: Percent,
    /// When the change was written down: from here on it may have happened, epoch ms.
    pub decided_ms: u64,
    /// When AWS said that it had happened.
    pub live_ms: Option<u64>,
}

/// How far was counted, and what is being waited for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    /// The first minute that has not counted yet, epoch ms.
    pub next_ms: u64,
    /// What was last read of the minutes after that, and since when it has been so.
    pending: BTreeMap<u64, (Minute, u64)>,
    lag_ms: u64,
    /// Minutes that were left out because the weight changed, or their sums made no sense.
    pub left_out: u64,
}

impl Meter {
    /// Counts from the minute in which this time lies.
    pub fn new(from_ms: u64, lag_ms: u64) -> Meter {
        Meter { next_ms: from_ms / MINUTE_MS * MINUTE_MS, pending: BTreeMap::new(), lag_ms, left_out: 0 }
    }

    /// The minutes to be read now: from, and up to without it. Empty where none is over yet.
    pub fn wanted(&self, now_ms: u64) -> std::ops::Range<u64> {
        let over_ms = now_ms / MINUTE_MS * MINUTE_MS;
        self.next_ms..over_ms.min(self.next_ms + MINUTES_MAX * MINUTE_MS).max(self.next_ms)
    }

    /// Takes in what was read and gives what counts now. A minute that CloudWatch says nothing of had no traffic.
    pub fn read(&mut self, read: &BTreeMap<u64, Minute>, shifts: &[Shift], now_ms: u64) -> Vec<Observed> {
        let wanted = self.wanted(now_ms);
        let mut counted = Vec::new();
        let mut is_open = false;
        for start_ms in wanted.step_by(MINUTE_MS as usize) {
            let minute = read.get(&start_ms).copied().unwrap_or_default();
            let since_ms = match self.pending.get(&start_ms) {
                Some((last, since_ms)) if *last == minute => *since_ms,
                _ => now_ms,
            };
            self.pending.insert(start_ms, (minute, since_ms));
            is_open |= !self.is_complete(minute, start_ms, since_ms, now_ms);
            if !is_open {
                counted.extend(self.count(minute, start_ms, shifts));
            }
        }
        counted
    }

    fn is_complete(&self, minute: Minute, start_ms: u64, since_ms: u64, now_ms: u64) -> bool {
        let is_late = now_ms >= start_ms + MINUTE_MS + self.lag_ms;
        let has_both = minute.bucket().is_some_and(Bucket::compares);
        is_late || (has_both && now_ms >= since_ms + QUIET_MS)
    }

    fn count(&mut self, minute: Minute, start_ms: u64, shifts: &[Shift]) -> Option<Observed> {
        self.next_ms = start_ms + MINUTE_MS;
        self.pending.remove(&start_ms);
        let Some(percent) = weight(shifts, start_ms) else {
            self.left_out += 1;
            return None;
        };
        if percent.get() == 0.0 || minute == Minute::default() {
            return None;
        }
        let bucket = minute.bucket();
        self.left_out += u64::from(bucket.is_none());
        bucket.map(|bucket| Observed { percent, bucket })
    }
}

/// The weight that held throughout a minute; `None` where it may have changed within it.
fn weight(shifts: &[Shift], start_ms: u64) -> Option<Percent> {
    let end_ms = start_ms + MINUTE_MS;
    // Clocks differ: what was decided just after a minute's end may lie within it.
    let mut begun = shifts.iter().filter(|shift| shift.decided_ms < end_ms + SPREAD_MS);
    let last = begun.next_back()?;
    let is_settled = last.live_ms.is_some_and(|live_ms| live_ms + SPREAD_MS <= start_ms);
    is_settled.then_some(last.percent)
}

/// What the base did before, all of it: of many requests only the share of failures is of interest.
pub fn history<'m>(read: impl Iterator<Item = &'m Minute>) -> Arm {
    /// As many as a server of our own takes along.
    const REQUESTS_MAX: u64 = 10_000;
    let add = |sums: Sums, minute: &Minute| Sums {
        requests: sums.requests + minute.all.requests,
        failures: sums.failures + minute.all.failures,
    };
    let Sums { requests, failures } = read.fold(Sums::default(), add);
    let (kept, failures) = (requests.min(REQUESTS_MAX), failures.min(requests));
    let failures = (u128::from(failures) * u128::from(kept)).div_ceil(u128::from(requests.max(1))) as u64;
    Arm::new(kept, failures.min(kept)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
