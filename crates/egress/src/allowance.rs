//! What all sandboxes together may hold of this host's sockets, and of memory with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Sockets of this host's that all sandboxes together may have at the same time. Each connection's also has at most 128 KiB of memory.
///
/// Nobody's share is fixed: a sandbox may have one more as long as it has fewer than are free. So one that takes what it gets
/// leaves half of them, two leave a third, and there is always some for those that have none yet, without any being kept idle when
/// few want them. Source: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches" (1998).
#[derive(Debug)]
pub struct Allowance {
    sockets_max: usize,
    taken: AtomicUsize,
}

/// One sandbox's part in it.
#[derive(Debug)]
pub struct Share {
    allowance: Arc<Allowance>,
    held: Arc<AtomicUsize>,
    has_complained: AtomicBool,
}

/// A socket's place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    allowance: Arc<Allowance>,
    held: Arc<AtomicUsize>,
}

impl Allowance {
    pub fn new(sockets_max: usize) -> Arc<Allowance> {
        Arc::new(Allowance { sockets_max, taken: AtomicUsize::new(0) })
    }

    /// For one more sandbox.
    pub fn share(self: &Arc<Self>) -> Share {
        Share { allowance: self.clone(), held: Arc::default(), has_complained: AtomicBool::new(false) }
    }
}

impl Share {
    /// A place for one more socket, if there is one for this sandbox.
    pub fn take(&self) -> Option<Place> {
        let Share { allowance, held, .. } = self;
        let own = held.load(Ordering::Relaxed);
        let more = |taken: usize| (own < allowance.sockets_max.saturating_sub(taken)).then_some(taken + 1);
        match allowance.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => {
                held.fetch_add(1, Ordering::Relaxed);
                Some(Place { allowance: allowance.clone(), held: held.clone() })
            }
            Err(taken) => {
                if !self.has_complained.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        own,
                        taken,
                        most = allowance.sockets_max,
                        "no socket for a function's connection"
                    );
                }
                None
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
        self.allowance.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as a sandbox gets.
    fn take_all(share: &Share) -> Vec<Place> {
        std::iter::from_fn(|| share.take()).collect()
    }

    #[test]
    fn whoever_takes_all_it_gets_leaves_as_much_for_the_next() {
        let allowance = Allowance::new(120);
        let (first, second) = (allowance.share(), allowance.share());
        let mut held = take_all(&first);
        assert_eq!(held.len(), 60);
        let others = take_all(&second);
        assert_eq!(others.len(), 30);
        assert_eq!(first.take().map(drop), None, "it has more than are free");
        // What it gives back others may have, and so may it, until both have the same.
        held.truncate(30);
        assert_eq!(take_all(&second).len() + others.len(), 45);
        drop(others);
        assert_eq!(take_all(&first).len() + held.len(), 60);
    }

    #[test]
    fn there_are_never_more_than_the_most_and_newcomers_have_some() {
        let allowance = Allowance::new(100);
        let shares: Vec<Share> = (0..150).map(|_| allowance.share()).collect();
        let held: Vec<usize> =
            shares.iter().map(|share| take_all(share).into_iter().map(std::mem::forget).count()).collect();
        assert_eq!(held.iter().sum::<usize>(), 100);
        assert!(held.iter().take(6).all(|count| *count > 0), "{held:?}");
        assert_eq!(held.last(), Some(&0));
        assert!(Allowance::new(0).share().take().is_none());
    }

    #[test]
    fn places_are_given_back() {
        let allowance = Allowance::new(2);
        let share = allowance.share();
        for _ in 0..5 {
            assert_eq!(take_all(&share).len(), 1);
        }
    }
}
