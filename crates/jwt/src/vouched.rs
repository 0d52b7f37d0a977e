use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};

/// Tokens of one key set that are remembered; the least used give way.
const TOKENS_MAX: usize = 4096;

/// Tokens whose signatures were found good. A key's verdict on the same bytes is always the same, and a client shows its token with each
/// request: a digest costs a fiftieth of RSA. What a token claims and how long it is good is judged anew each time.
#[derive(Clone)]
pub(crate) struct Vouched(Arc<Cache<[u8; 32], ()>>);

impl Default for Vouched {
    fn default() -> Vouched {
        Vouched(Arc::new(Cache::new(TOKENS_MAX)))
    }
}

impl fmt::Debug for Vouched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Vouched").field(&self.0.len()).finish()
    }
}

impl Vouched {
    /// Whether a token's signature is good: asked only where that isn't known yet.
    pub fn or(&self, token: &str, is_good: impl FnOnce() -> bool) -> bool {
        let digest = digest(&SHA256, token.as_bytes());
        // SHA-256 has as many bytes as that.
        let Ok(key) = <[u8; 32]>::try_from(digest.as_ref()) else { return is_good() };
        if self.0.get(&key).is_some() {
            return true;
        }
        let good = is_good();
        if good {
            self.0.insert(key, ());
        }
        good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_good_ones_are_remembered_and_so_many() {
        let vouched = Vouched::default();
        assert!(!vouched.or("a", || false));
        assert!(vouched.or("a", || true));
        assert!(vouched.or("a", || unreachable!("it is known")));
        assert!(!vouched.or("a.", || false), "another token");
        for number in 0..3 * TOKENS_MAX {
            assert!(vouched.or(&number.to_string(), || true));
        }
        assert!(vouched.0.len() <= TOKENS_MAX, "{vouched:?}");
    }
}
