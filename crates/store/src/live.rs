//! What the commits leave for everybody else: the snapshot, and word of it to those who follow.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pitbird_snapshot::Snapshot;
use tokio::sync::watch;

pub struct Live {
    pub snapshots: Arc<ArcSwap<Snapshot>>,
    generations: watch::Sender<u64>,
    followers: Mutex<Vec<Follower>>,
}

/// Who wants to know of commits that write certain tables, and of no others: to be woken and look is a large part of what a
/// small commit costs.
struct Follower {
    tables: &'static [&'static str],
    generations: watch::Sender<u64>,
}

impl Live {
    pub fn new(snapshot: Snapshot) -> Live {
        let generations = watch::Sender::new(snapshot.generation);
        let snapshots = Arc::new(ArcSwap::from_pointee(snapshot));
        Live { snapshots, generations, followers: Mutex::default() }
    }

    pub fn watch(&self) -> watch::Receiver<u64> {
        self.generations.subscribe()
    }

    pub fn watch_tables(&self, tables: &'static [&'static str]) -> watch::Receiver<u64> {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(follower) = followers.iter().find(|follower| follower.tables == tables) {
            return follower.generations.subscribe();
        }
        let (generations, receiver) = watch::channel(*self.generations.borrow());
        followers.push(Follower { tables, generations });
        receiver
    }

    /// Makes a snapshot live that follows a commit to these tables. Answers the one before.
    pub fn publish(&self, snapshot: Arc<Snapshot>, written: &[&'static str]) -> Arc<Snapshot> {
        let generation = snapshot.generation;
        let previous = self.snapshots.swap(snapshot);
        self.generations.send_replace(generation);
        let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        for Follower { tables, generations } in &*followers {
            if tables.iter().any(|table| written.contains(table)) {
                generations.send_replace(generation);
            }
        }
        previous
    }
}
