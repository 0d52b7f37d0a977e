//! What authorizers said, kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Results that are held at most in each shard.
const RESULTS_MAX: usize = 1024;
const SHARDS: usize = 16;

/// A digest of everything that a result depends on: keys of any length take the same room, and none can be made to meet another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResultKey([u8; 32]);

impl ResultKey {
    /// The key of these parts, in their order.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> ResultKey {
        let mut hasher = Sha256::new();
        for part in parts {
            // With its length, so that two parts never read as two others.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        ResultKey(hasher.finalize().into())
    }
}

/// Results by what they depend on. Whoever's results a flush makes stale asks under another key from then on.
#[derive(Debug)]
pub struct AuthorizerCache<T> {
    shards: [Mutex<HashMap<ResultKey, Kept<T>>>; SHARDS],
}

#[derive(Debug)]
struct Kept<T> {
    until_ms: u64,
    result: Arc<T>,
}

impl<T> Default for AuthorizerCache<T> {
    fn default() -> AuthorizerCache<T> {
        AuthorizerCache { shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl<T> AuthorizerCache<T> {
    /// A result that is still good at `now_ms`.
    pub fn get(&self, key: &ResultKey, now_ms: u64) -> Option<Arc<T>> {
        let shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        shard.get(key).filter(|kept| now_ms < kept.until_ms).map(|kept| kept.result.clone())
    }

    /// Keeps a result. Where there is no room those that are over go, and if that isn't enough, any other.
    pub fn put(&self, key: ResultKey, result: Arc<T>, now_ms: u64, until_ms: u64) {
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= RESULTS_MAX && !shard.contains_key(&key) {
            shard.retain(|_, kept| now_ms < kept.until_ms);
        }
        if shard.len() >= RESULTS_MAX
            && !shard.contains_key(&key)
            && let Some(any) = shard.keys().next().copied()
        {
            shard.remove(&any);
        }
        shard.insert(key, Kept { until_ms, result });
    }

    fn shard(&self, key: &ResultKey) -> &Mutex<HashMap<ResultKey, Kept<T>>> {
        &self.shards[usize::from(key.0[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_good_until_its_time_and_under_its_key() {
        let cache = AuthorizerCache::default();
        let key = ResultKey::of(["ab", "c"]);
        cache.put(key, Arc::new(1), 0, 300);
        assert_eq!(cache.get(&key, 299).as_deref(), Some(&1));
        assert_eq!(cache.get(&key, 300), None);
        assert_eq!(cache.get(&ResultKey::of(["a", "bc"]), 0), None);
    }

    #[test]
    fn there_is_a_bound_and_the_newest_stays() {
        let cache = AuthorizerCache::default();
        for at in 0..4 * SHARDS * RESULTS_MAX {
            let key = ResultKey::of([at.to_string().as_str()]);
            cache.put(key, Arc::new(at), 0, 300);
            assert!(cache.get(&key, 0).is_some());
        }
        assert!(cache.shards.iter().all(|shard| shard.lock().unwrap().len() <= RESULTS_MAX));
    }
}
