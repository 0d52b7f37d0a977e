use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Signal;

/// At most so often it is told that something was dropped.
const TOLD_EVERY: Duration = Duration::from_secs(30);

/// What was dropped of each signal since the start: spans, points or log records.
#[derive(Debug, Default)]
pub struct Losses {
    counts: [AtomicU64; 3],
    told: Mutex<[Option<Instant>; 3]>,
}

impl Losses {
    pub fn of(&self, signal: Signal) -> u64 {
        self.counts[signal as usize].load(Ordering::Relaxed)
    }

    /// Counts what was dropped, and tells it now and then.
    pub(crate) fn add(&self, signal: Signal, count: u64, why: &str) {
        if count == 0 {
            return;
        }
        let before = self.counts[signal as usize].fetch_add(count, Ordering::Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = &mut told[signal as usize];
        if last.is_none_or(|last| last.elapsed() >= TOLD_EVERY) {
            *last = Some(Instant::now());
            let dropped = before + count;
            tracing::warn!(signal = signal.word(), dropped, why, "not everything reaches the collector");
        }
    }
}
