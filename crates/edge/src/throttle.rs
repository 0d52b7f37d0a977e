//! How often somebody may: token buckets, many of them, without a lock that all requests share.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use pitbird_records::usage_plan::Throttle;

/// A bucket that holds tokens and is filled steadily. It keeps only one number: when it would be full again. Its size and rate come
/// with each question, and so may change at any time.
#[derive(Debug, Default)]
pub struct TokenBucket {
    full_at_ns: AtomicU64,
}

impl TokenBucket {
    /// Takes a token, if there is one. `now_ns` counts from any moment on, the same one for all calls.
    pub fn take(&self, limit: Throttle, now_ns: u64) -> bool {
        let Some((token_ns, room_ns)) = paces(limit) else { return false };
        let taken = self.full_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at_ns| {
            let next = full_at_ns.max(now_ns).saturating_add(token_ns);
            (next <= now_ns.saturating_add(room_ns)).then_some(next)
        });
        taken.is_ok()
    }

    /// Is it as good as new?
    fn is_full(&self, now_ns: u64) -> bool {
        self.full_at_ns.load(Ordering::Relaxed) <= now_ns
    }
}

/// Nanoseconds that a token and a whole bucket take to fill; `None` where there never is a token.
fn paces(limit: Throttle) -> Option<(u64, u64)> {
    let burst = u64::try_from(limit.burst_limit).ok().filter(|burst| *burst > 0)?;
    if limit.rate_limit.is_nan() || limit.rate_limit <= 0.0 {
        return None;
    }
    // No slower than that a whole bucket is a number; nobody lives to see the difference.
    let token_ns = ((1e9 / limit.rate_limit) as u64).min(u64::MAX / 4 / burst).max(1);
    Some((token_ns, token_ns.saturating_mul(burst)))
}

const SHARDS: usize = 16;
/// Buckets that are held at most in each shard. Full ones go first: a new one is the same.
const BUCKETS_MAX: usize = 16_384;

/// Token buckets by what they are of: a plan's key, a stage's method.
#[derive(Debug)]
pub struct Buckets {
    began: Instant,
    hasher: RandomState,
    shards: [RwLock<HashMap<u64, TokenBucket>>; SHARDS],
}

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets { began: Instant::now(), hasher: RandomState::new(), shards: Default::default() }
    }
}

impl Buckets {
    /// Takes a token of the bucket of `owner`, if there is one.
    pub fn take(&self, owner: impl Hash, limit: Throttle) -> bool {
        let now_ns = self.began.elapsed().as_nanos() as u64;
        // Nobody can make two owners meet who doesn't know the hasher's keys.
        let hash = self.hasher.hash_one(owner);
        let shard = &self.shards[hash as usize % SHARDS];
        if let Some(bucket) = shard.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return bucket.take(limit, now_ns);
        }
        let mut buckets = shard.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, bucket| !bucket.is_full(now_ns));
        }
        if buckets.len() >= BUCKETS_MAX {
            // Whoever has so many busy callers is lenient with them rather than out of memory.
            buckets.clear();
        }
        buckets.entry(hash).or_default().take(limit, now_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn limit(burst_limit: i64, rate_limit: f64) -> Throttle {
        Throttle { burst_limit, rate_limit }
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let bucket = TokenBucket::default();
        let taken = |now_ns| (0..100).filter(|_| bucket.take(limit(5, 10.0), now_ns)).count();
        assert_eq!(taken(3 * SECOND), 5);
        assert_eq!(taken(3 * SECOND), 0);
        assert_eq!(taken(3 * SECOND + SECOND / 10), 1);
        assert_eq!(taken(4 * SECOND), 5, "it holds no more than its burst");
    }

    #[test]
    fn limits_of_every_size_are_kept() {
        for (burst, rate, expected) in [
            (0, 10.0, 0),
            (5, 0.0, 0),
            (-1, 1.0, 0),
            (5, -1.0, 0),
            (5, f64::NAN, 0),
            (5, 1e-30, 5),
            (1, 1e30, 1),
            (i64::MAX, 1.0, 100),
        ] {
            let bucket = TokenBucket::default();
            let taken = (0..100).filter(|_| bucket.take(limit(burst, rate), SECOND)).count();
            assert_eq!(taken, expected, "{burst} {rate}");
        }
    }

    #[test]
    fn a_limit_may_change_under_a_bucket() {
        let bucket = TokenBucket::default();
        assert!(bucket.take(limit(1, 1.0), SECOND));
        assert!(!bucket.take(limit(1, 1.0), SECOND));
        assert!(bucket.take(limit(3, 1.0), SECOND));
    }

    #[test]
    fn each_owner_has_a_bucket_and_there_is_a_bound() {
        let buckets = Buckets::default();
        assert!(buckets.take(("plan", "a"), limit(1, 1e-9)));
        assert!(!buckets.take(("plan", "a"), limit(1, 1e-9)));
        assert!(buckets.take(("plan", "b"), limit(1, 1e-9)));
        for owner in 0..SHARDS * BUCKETS_MAX * 2 {
            buckets.take(owner, limit(1, 1e9));
        }
        let held = |shard: &RwLock<HashMap<u64, TokenBucket>>| shard.read().unwrap().len();
        assert!(buckets.shards.iter().all(|shard| held(shard) <= BUCKETS_MAX));
    }
}
