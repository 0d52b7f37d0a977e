//! Who failed for the first time, where clients keep their arm: the failures of one client go one way, so one of them counts.
//!
//! A request that succeeds never comes here. A failure costs one `fetch_or` on a Bloom filter, two where its route is told apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pitbird_names::Percent;

/// 16 KiB. Each user's bits lie in one word, so of failures at once exactly one is the first.
const WORDS: usize = 2_048;
/// So many are told apart well, a user once for all requests and once for each route; from then on it is time to
/// [forget](super::Tally::forget). Up to there one first failure of 700 is taken for a later one, the last ones one of 200; with twice
/// as many one of 30, with eight times as many half. That costs evidence, of both arms alike; a later one is never taken for a first.
pub const FIRSTS_MAX: u64 = 8_192;

/// How chance shared a request out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// The canary's share when that was.
    pub percent: Percent,
    /// A hash of what keeps the client with its arm; `None` for a request that was drawn for by itself, as if it were a client of its own.
    pub user: Option<u64>,
}

/// Users who failed for the first time, by the arm that failed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failed {
    pub base: u64,
    pub canary: u64,
}

/// What was counted so far under the present weight.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirstFailures {
    /// Rises when it is forgotten who has failed.
    pub memory: u32,
    /// Rises when counts begin at 0 again: then, and with each weight.
    pub cell: u32,
    pub all: Failed,
    /// In the order of the [`Spec`](super::Spec)'s routes.
    pub routes: Vec<Failed>,
}

/// Counts of one weight, and who has failed since the last forgetting.
#[derive(Debug)]
pub struct Firsts {
    memory: u32,
    cell: u32,
    percent: Percent,
    known: Arc<[AtomicU64]>,
    all: Counts,
    routes: Box<[Counts]>,
}

#[derive(Debug, Default)]
struct Counts {
    base: AtomicU64,
    canary: AtomicU64,
}

impl Firsts {
    pub fn new(routes: usize) -> Firsts {
        Firsts {
            memory: 0,
            cell: 0,
            percent: Percent::default(),
            known: fresh(),
            all: Counts::default(),
            routes: counts(routes),
        }
    }

    /// Is this the present weight, but for what its way through a file may have cost?
    pub fn is_weighed(&self, percent: Percent) -> bool {
        (self.percent.get() - percent.get()).abs() < 1e-9
    }

    /// What is still under way, drawn under the weight before, counts for neither from now on.
    pub fn weighed(&self, percent: Percent) -> Firsts {
        let cell = self.cell.wrapping_add(1);
        let routes = counts(self.routes.len());
        Firsts {
            memory: self.memory,
            cell,
            percent,
            known: self.known.clone(),
            all: Counts::default(),
            routes,
        }
    }

    pub fn forgotten(&self) -> Firsts {
        Firsts { memory: self.memory.wrapping_add(1), known: fresh(), ..self.weighed(self.percent) }
    }

    /// A failure. One that was drawn under another weight isn't remembered either: the next is the first that counts. Nor is one
    /// from before the canary had a share.
    pub fn record(&self, drawn: Drawn, is_canary: bool, route: Option<usize>) {
        if !self.is_weighed(drawn.percent) || self.percent == Percent::default() {
            return;
        }
        let is_first = |salt: u64| drawn.user.is_none_or(|user| self.is_first(user ^ mixed(salt)));
        if is_first(0) {
            self.all.add(is_canary);
        }
        if let Some((number, counts)) = route.and_then(|route| Some((route, self.routes.get(route)?)))
            && is_first(number as u64 + 1)
        {
            counts.add(is_canary);
        }
    }

    fn is_first(&self, user: u64) -> bool {
        let hash = mixed(user);
        let mask = (0..4).fold(0, |mask, bit| mask | 1_u64 << (hash >> (40 + 6 * bit) & 63));
        self.known[hash as usize % WORDS].fetch_or(mask, Ordering::Relaxed) & mask != mask
    }

    pub fn read(&self) -> FirstFailures {
        let routes = self.routes.iter().map(Counts::read).collect();
        FirstFailures { memory: self.memory, cell: self.cell, all: self.all.read(), routes }
    }
}

impl Counts {
    fn add(&self, is_canary: bool) {
        let arm = if is_canary { &self.canary } else { &self.base };
        arm.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Failed {
        Failed { base: self.base.load(Ordering::Relaxed), canary: self.canary.load(Ordering::Relaxed) }
    }
}

impl FirstFailures {
    /// What is new; all of it where counts began at 0 again.
    #[must_use]
    pub fn since(&self, told: Option<&FirstFailures>) -> FirstFailures {
        let Some(told) = told.filter(|told| told.cell == self.cell) else { return self.clone() };
        let before = told.routes.iter().copied().chain(std::iter::repeat(Failed::default()));
        let routes = self.routes.iter().zip(before).map(|(now, told)| now.since(told)).collect();
        FirstFailures { all: self.all.since(told.all), routes, ..*self }
    }

    pub fn is_empty(&self) -> bool {
        self.entries() == 0
    }

    /// How many are told apart.
    pub fn entries(&self) -> u64 {
        self.routes.iter().chain([&self.all]).map(|failed| failed.base + failed.canary).sum()
    }
}

impl Failed {
    fn since(self, told: Failed) -> Failed {
        Failed { base: self.base.saturating_sub(told.base), canary: self.canary.saturating_sub(told.canary) }
    }
}

fn fresh() -> Arc<[AtomicU64]> {
    (0..WORDS).map(|_| AtomicU64::new(0)).collect()
}

fn counts(routes: usize) -> Box<[Counts]> {
    (0..routes).map(|_| Counts::default()).collect()
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
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    fn percent(value: f64) -> Percent {
        Percent::new(value).unwrap()
    }

    fn drawn(share: f64, user: u64) -> Drawn {
        Drawn { percent: percent(share), user: Some(user) }
    }

    #[test]
    fn of_each_user_the_first_failure_counts_and_on_each_route_the_first() {
        let firsts = Firsts::new(2).weighed(percent(10.0));
        for (user, route) in [(1, 0), (1, 0), (1, 1), (2, 0), (2, 0)] {
            firsts.record(drawn(10.0, user), user == 1, Some(route));
        }
        let told = firsts.read();
        assert_eq!((told.all, told.entries()), (Failed { base: 1, canary: 1 }, 5));
        assert_eq!(told.routes, [Failed { base: 1, canary: 1 }, Failed { base: 0, canary: 1 }]);
        firsts.record(Drawn { user: None, ..drawn(10.0, 0) }, true, None);
        firsts.record(Drawn { user: None, ..drawn(10.0, 0) }, true, Some(9));
        assert_eq!(firsts.read().since(Some(&told)).all, Failed { base: 0, canary: 2 }, "each its own");
    }

    #[test]
    fn a_request_counts_under_the_weight_that_it_was_drawn_under() {
        let firsts = Firsts::new(0).weighed(percent(40.0));
        firsts.record(drawn(40.0, 1), true, None);
        let before = firsts.read();
        let next = firsts.weighed(percent(10.0));
        next.record(drawn(40.0, 2), true, None);
        let unshared = Firsts::new(0);
        unshared.record(drawn(0.0, 1), false, None);
        assert!(unshared.read().is_empty() && unshared.weighed(percent(40.0)).is_first(1));
        next.record(drawn(10.0 + 2e-15, 1), true, None);
        assert!(next.read().is_empty(), "drawn before, or known");
        next.record(drawn(10.0 + 2e-15, 2), true, None);
        assert_eq!(next.read().since(Some(&before)).all, Failed { base: 0, canary: 1 });
        let forgotten = next.forgotten();
        forgotten.record(drawn(10.0, 1), false, None);
        assert_eq!(forgotten.read().since(Some(&next.read())).all, Failed { base: 1, canary: 0 });
        assert_eq!((before.memory, next.read().memory, forgotten.read().memory), (0, 0, 1));
    }

    #[test]
    fn as_many_as_are_told_apart_well_are_nearly_all_counted_and_none_twice() {
        let firsts = Firsts::new(0).weighed(percent(10.0));
        let all = |users: std::ops::Range<u64>| {
            let before = firsts.read().all.base;
            users.for_each(|user| firsts.record(drawn(10.0, user), false, None));
            firsts.read().all.base - before
        };
        let counted = all(0..FIRSTS_MAX);
        assert!(counted > FIRSTS_MAX * 997 / 1_000, "{counted}");
        assert_eq!(all(0..FIRSTS_MAX), 0);
        let more = all(FIRSTS_MAX..FIRSTS_MAX + 1_000);
        assert!(more > 985, "one of 200 is lost, not {}", 1_000 - more);
        all(0..2 * FIRSTS_MAX);
        let more = all(1_000_000..1_001_000);
        assert!(more > 940, "one of 30 is lost, not {}", 1_000 - more);
    }

    /// Failures of one user at once, on as many threads: one of them is the first, again and again.
    #[test]
    fn of_failures_at_once_exactly_one_is_the_first() {
        const THREADS: u64 = 4;
        const USERS: u64 = 2_000;
        let (firsts, start) = (Firsts::new(1).weighed(percent(10.0)), Barrier::new(THREADS as usize));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for user in 0..USERS {
                        start.wait();
                        firsts.record(drawn(10.0, user), false, Some(0));
                    }
                });
            }
        });
        let told = firsts.read();
        for failed in [told.all, told.routes[0]] {
            assert!((USERS * 99 / 100..=USERS).contains(&failed.base), "{failed:?}");
        }
    }
}
