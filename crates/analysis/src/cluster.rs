//! Requests that depend on each other. An e-value takes the arm of each event for a coin of its own; it isn't where
//! one user's requests all go the same way, or where one bad host fails a hundred requests at once. What is to be
//! counted then:
//!
//! - where each request draws its arm: every event, bursts and retries too;
//! - where a user keeps an arm: of a user's events the first, with the configured share, since requests say nothing
//!   about how users are shared out;
//! - where events come from few hosts or sandboxes: at most [`PER_HOST`] of one host in one bucket.

use serde::{Deserialize, Serialize};

/// Events of one host in one bucket that count.
pub const PER_HOST: u64 = 2;
/// Users remembered well; beyond that ever more first events are taken for later ones.
pub const USERS: usize = 4_096;

const BITS: u64 = 1 << 16;
const PROBES: u64 = 4;

/// Users that had their first event, by the arm that they had it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Firsts {
    pub canary: u64,
    pub base: u64,
}

impl Firsts {
    #[must_use]
    pub fn plus(self, other: Firsts) -> Firsts {
        Firsts {
            canary: self.canary.saturating_add(other.canary),
            base: self.base.saturating_add(other.base),
        }
    }

    pub fn is_empty(self) -> bool {
        self == Firsts::default()
    }
}

/// The events that count, of what each host saw in a bucket.
pub fn capped(events_of_each_host: impl IntoIterator<Item = u64>, cap: u64) -> u64 {
    events_of_each_host.into_iter().fold(0, |sum, events| sum.saturating_add(events.min(cap)))
}

/// Remembers who had an event already, in 8 KiB however many they are. It may take a first event for a later one,
/// and then it isn't counted, whatever the arm; it never takes a later one for a first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstEvents {
    bits: Vec<u64>,
}

impl Default for FirstEvents {
    fn default() -> Self {
        FirstEvents { bits: vec![0; (BITS / 64) as usize] }
    }
}

impl FirstEvents {
    /// Is this the user's first event? `user` is a hash of whoever keeps an arm, the same on every call.
    pub fn is_first(&mut self, user: u64) -> bool {
        let mut is_first = false;
        let step = mixed(user ^ BITS) | 1;
        for probe in 0..PROBES {
            let bit = mixed(user).wrapping_add(probe.wrapping_mul(step)) % BITS;
            let (word, mask) = ((bit / 64) as usize, 1_u64 << (bit % 64));
            if let Some(word) = self.bits.get_mut(word) {
                is_first |= *word & mask == 0;
                *word |= mask;
            }
        }
        is_first
    }
}

/// SplitMix64's finish: neighbours end far apart.
fn mixed(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_counts_twice_at_most() {
        assert_eq!(capped([0, 1, 100], PER_HOST), 3);
        assert_eq!(capped([u64::MAX, u64::MAX], u64::MAX), u64::MAX);
    }

    #[test]
    fn of_each_user_the_first_event_counts() {
        let mut first = FirstEvents::default();
        let counted = (0..USERS as u64).filter(|user| first.is_first(*user)).count();
        assert!(counted > USERS * 99 / 100, "{counted}");
        assert!((0..USERS as u64).all(|user| !first.is_first(user)));
    }

    #[test]
    fn full_memory_counts_nobody_and_grows_never() {
        let mut first = FirstEvents::default();
        (0..1_000_000).for_each(|user| {
            first.is_first(user);
        });
        assert_eq!(first.bits.len() * 64, BITS as usize);
        assert!((1_000_000..1_001_000).filter(|user| first.is_first(*user)).count() < 10);
    }
}
