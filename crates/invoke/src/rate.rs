//! How often something may happen: as often as a bucket has tokens, which is filled steadily. One number without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// So often: a bucket holds `count` tokens and is filled in `period_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    count: u64,
    token_ns: u64,
}

impl Pace {
    /// One a nanosecond is the fastest.
    pub fn new(count: u64, period_ms: u64) -> Pace {
        let period_ns = period_ms.saturating_mul(NS_PER_MS);
        Pace { count, token_ns: period_ns.checked_div(count).unwrap_or(0).max(1) }
    }

    fn room_ns(self) -> u64 {
        self.token_ns.saturating_mul(self.count)
    }
}

const NS_PER_MS: u64 = 1_000_000;

/// What is left of a pace. It keeps only when it would be full again; the pace comes with each question, and so may change at any time.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    full_at_ns: AtomicU64,
}

impl Bucket {
    /// Takes a token, if there is one.
    pub fn take(&self, pace: Pace, now_ms: i64) -> bool {
        let now_ns = ns(now_ms);
        let empty_ns = now_ns.saturating_add(pace.room_ns());
        let taken = self.full_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at_ns| {
            // A clock that was set back finds the bucket empty, no worse.
            let next = full_at_ns.min(empty_ns).max(now_ns).saturating_add(pace.token_ns);
            (next <= empty_ns).then_some(next)
        });
        taken.is_ok()
    }

    /// Puts a token back that wasn't used.
    pub fn give_back(&self, pace: Pace) {
        let back = |full_at_ns: u64| Some(full_at_ns.saturating_sub(pace.token_ns));
        // A function that always gives something.
        let _ = self.full_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, back);
    }

    /// How many tokens there are.
    pub fn left(&self, pace: Pace, now_ms: i64) -> u64 {
        let now_ns = ns(now_ms);
        let empty_ns = now_ns.saturating_add(pace.room_ns());
        let full_at_ns = self.full_at_ns.load(Ordering::Relaxed).min(empty_ns).max(now_ns);
        (empty_ns - full_at_ns) / pace.token_ns
    }
}

fn ns(now_ms: i64) -> u64 {
    u64::try_from(now_ms).unwrap_or(0).saturating_mul(NS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_it_holds_and_then_its_pace() {
        let (bucket, pace) = (Bucket::default(), Pace::new(10, 1000));
        let taken = |now_ms| (0..100).filter(|_| bucket.take(pace, now_ms)).count();
        assert_eq!(bucket.left(pace, 5000), 10);
        assert_eq!(taken(5000), 10);
        assert_eq!((bucket.left(pace, 5000), taken(5099)), (0, 0));
        assert_eq!((taken(5100), taken(5350)), (1, 2));
        assert_eq!((bucket.left(pace, 9000), taken(9000)), (10, 10), "it holds no more");
        bucket.give_back(pace);
        assert_eq!(taken(9000), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nobody_up_for_longer_than_a_bucket() {
        let (bucket, pace) = (Bucket::default(), Pace::new(10, 1000));
        assert!(bucket.take(pace, 1_000_000));
        assert!(!bucket.take(pace, 1000));
        assert_eq!(bucket.left(pace, 1000), 0);
        let (bucket, pace) = (Bucket::default(), Pace::new(10, 1000));
        assert!(bucket.take(pace, i64::MAX));
        assert!(bucket.take(pace, -5).then_some(()).is_none());
    }

    #[test]
    fn paces_of_every_size_are_kept() {
        for (count, period_ms, expected) in
            [(0, 1000, 0), (1, 1000, 1), (50, 0, 50), (u64::MAX, u64::MAX, 100)]
        {
            let (bucket, pace) = (Bucket::default(), Pace::new(count, period_ms));
            let taken = (0..100).filter(|_| bucket.take(pace, 1000)).count();
            assert_eq!(taken, expected, "{count} in {period_ms} ms");
        }
    }

    #[test]
    fn callers_at_once_get_no_more_than_there_is() {
        let (bucket, pace) = (Bucket::default(), Pace::new(500, 10_000));
        let taken: usize = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..200).filter(|_| bucket.take(pace, 1000)).count()))
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        assert_eq!(taken, 500);
    }
}
