use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::Tally;

/// Requests that both arms answered, by which of the answers were failures: neither or both, the canary's alone, the base's alone. A pair is
/// one addition, so whatever is read agrees with itself. It has no weight: it counts whatever the canary's share is.
#[derive(Debug, Default)]
pub struct Pairs([AtomicU64; 3]);

/// Pairs as counted so far. Numbers only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paired {
    pub alike: u64,
    pub canary_alone: u64,
    pub base_alone: u64,
}

/// A request that both arms are to answer, held by both: whoever answers second counts it. Where one never does, it is no pair.
#[derive(Debug)]
pub struct Pair {
    tally: Arc<Tally>,
    state: AtomicU8,
}

/// An arm's bits: it has answered, with a failure.
const ANSWERED: u8 = 1;
const FAILED: u8 = 2;
/// The canary's are so many higher.
const CANARY_SHIFT: u8 = 2;

impl Pairs {
    fn add(&self, base_failed: bool, canary_failed: bool) {
        let sort = match (base_failed, canary_failed) {
            (false, false) | (true, true) => 0,
            (false, true) => 1,
            (true, false) => 2,
        };
        self.0[sort].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Paired {
        let [alike, canary_alone, base_alone] = self.0.each_ref().map(|count| count.load(Ordering::Relaxed));
        Paired { alike, canary_alone, base_alone }
    }
}

impl Paired {
    /// What has come since `told`. A number that fell belongs to a counter that began again from 0.
    #[must_use]
    pub fn since(self, told: Paired) -> Paired {
        let began_again = self.alike < told.alike
            || self.canary_alone < told.canary_alone
            || self.base_alone < told.base_alone;
        let told = if began_again { Paired::default() } else { told };
        Paired {
            alike: self.alike - told.alike,
            canary_alone: self.canary_alone - told.canary_alone,
            base_alone: self.base_alone - told.base_alone,
        }
    }

    pub fn is_empty(self) -> bool {
        self == Paired::default()
    }
}

impl Tally {
    /// Counts a request that both arms answered, where pairs are wanted.
    pub fn pair(&self, base_failed: bool, canary_failed: bool) {
        if let Some(pairs) = &self.pairs {
            pairs.add(base_failed, canary_failed);
        }
    }
}

impl Pair {
    pub(super) fn new(tally: &Arc<Tally>) -> Option<Arc<Pair>> {
        tally.pairs.as_ref()?;
        Some(Arc::new(Pair { tally: tally.clone(), state: AtomicU8::new(0) }))
    }

    /// One arm's answer; of each only the first counts.
    pub fn answered(&self, is_canary: bool, is_failure: bool) {
        let shift = if is_canary { CANARY_SHIFT } else { 0 };
        let word = (ANSWERED | if is_failure { FAILED } else { 0 }) << shift;
        let before = self.state.fetch_or(word, Ordering::AcqRel);
        let has = |state: u8, shift: u8| (state >> shift) & ANSWERED != 0;
        let failed = |shift: u8| ((before | word) >> shift) & FAILED != 0;
        if !has(before, shift) && has(before, CANARY_SHIFT - shift) {
            self.tally.pair(failed(0), failed(CANARY_SHIFT));
        }
    }
}
