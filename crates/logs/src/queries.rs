//! Queries that run, and what came out of those that ran. All of it lies in memory, bounded, and is gone with the process.

mod run;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pitbird_insights::{Answer, Query};
use pitbird_names::Scope;
use pitbird_telemetry::logs::ScanProgress;

use crate::Error;

pub use run::start;

/// Queries of one account that run at once. Source: StartQuery.
pub const RUNNING_MAX: usize = 30;
/// How long what came out is kept, milliseconds: 7 days. Source: AWS, query history.
const KEPT_MS: i64 = 7 * 86_400_000;
/// Queries that are kept after they have ended; the oldest go first.
pub const KEPT_MAX: usize = 1000;
/// Text of the results that are kept, bytes; the oldest go first.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// How far a query is, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Scheduled,
    Running,
    Complete,
    Failed,
    Cancelled,
    Timeout,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Scheduled => "Scheduled",
            Status::Running => "Running",
            Status::Complete => "Complete",
            Status::Failed => "Failed",
            Status::Cancelled => "Cancelled",
            Status::Timeout => "Timeout",
        }
    }

    pub fn is_end(self) -> bool {
        !matches!(self, Status::Scheduled | Status::Running)
    }
}

/// One query.
#[derive(Debug, Clone)]
pub struct Entry {
    pub scope: Scope,
    pub id: String,
    pub text: String,
    pub groups: Vec<String>,
    /// Who asked.
    pub principal: String,
    pub created_ms: i64,
    /// How long it ran, milliseconds, once it has ended.
    pub duration_ms: Option<i64>,
    pub status: Status,
    pub progress: Arc<ScanProgress>,
    pub answer: Option<Arc<Answer>>,
    /// Events that passed the filters.
    pub matched: u64,
    bytes: usize,
}

/// What a query is started with.
pub struct Start {
    pub scope: Scope,
    pub id: String,
    pub principal: String,
    pub text: String,
    pub query: Query,
    pub groups: Vec<String>,
    pub start_ms: i64,
    /// Exclusive.
    pub end_ms: i64,
    pub now_ms: i64,
}

/// All queries, by the order in which they came.
#[derive(Debug, Default)]
pub struct Queries(Mutex<BTreeMap<u64, Entry>>);

impl Queries {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of a scope, the newest first.
    pub fn list(&self, scope: &Scope, now_ms: i64) -> Vec<Entry> {
        let mut entries = self.lock();
        entries.retain(|_, entry| !entry.status.is_end() || entry.created_ms + KEPT_MS > now_ms);
        entries.values().rev().filter(|entry| entry.scope == *scope).cloned().collect()
    }

    /// One of a scope by its id.
    pub fn find(&self, scope: &Scope, id: &str, now_ms: i64) -> Result<Entry, Error> {
        let found = self.list(scope, now_ms).into_iter().find(|entry| entry.id == id);
        found.ok_or_else(|| Error::NoQuery(id.to_owned()))
    }

    /// Ends one that runs; it answers nothing then.
    pub fn cancel(&self, scope: &Scope, id: &str) -> Result<(), Error> {
        let mut entries = self.lock();
        let entry = entries.values_mut().find(|entry| entry.scope == *scope && entry.id == id);
        let entry = entry.ok_or_else(|| Error::NoQuery(id.to_owned()))?;
        if entry.status.is_end() {
            return Err(Error::QueryEnded);
        }
        entry.progress.cancel();
        entry.status = Status::Cancelled;
        Ok(())
    }

    fn add(&self, entry: Entry) -> Result<u64, Error> {
        let mut entries = self.lock();
        let running = entries.values().filter(|other| other.scope == entry.scope && !other.status.is_end());
        if running.count() >= RUNNING_MAX {
            return Err(Error::TooManyQueries { limit: RUNNING_MAX });
        }
        let number = entries.last_key_value().map_or(0, |(last, _)| last + 1);
        entries.insert(number, entry);
        trim(&mut entries);
        Ok(number)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.lock();
        if let Some(entry) = entries.get_mut(&number) {
            change(entry);
        }
        trim(&mut entries);
    }
}

/// Forgets the oldest that have ended while there are too many, or too much came out of them.
fn trim(entries: &mut BTreeMap<u64, Entry>) {
    let ended = |entries: &BTreeMap<u64, Entry>| {
        let ended = entries.iter().filter(|(_, entry)| entry.status.is_end());
        ended.fold((0, 0, None), |(count, bytes, first), (number, entry)| {
            (count + 1, bytes + entry.bytes, first.or(Some(*number)))
        })
    };
    let (mut count, mut bytes, _) = ended(entries);
    while count > 1 && (count > KEPT_MAX || bytes > KEPT_BYTES_MAX) {
        if let (.., Some(first)) = ended(entries) {
            entries.remove(&first);
        }
        (count, bytes, _) = ended(entries);
    }
}

#[cfg(test)]
mod tests;
