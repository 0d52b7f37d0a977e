//! Live Tail: sessions that see events as they come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pitbird_filterpattern::Pattern;
use pitbird_names::Scope;
use pitbird_telemetry::logs::Filed;

use crate::Error;

/// Events of one update, which comes once a second; of more some are shown. Source: StartLiveTail.
pub const UPDATE_EVENTS: usize = 500;
/// Sessions of one account and region at once. Source: CloudWatch Logs quotas.
const SESSIONS_MAX: usize = 15;
/// Text of one update, bytes: events of a megabyte must not add up.
const UPDATE_BYTES: usize = 4 << 20;

/// What a session is about.
#[derive(Debug)]
pub struct Asked {
    pub scope: Scope,
    pub groups: Vec<String>,
    pub streams: Streams,
    pub pattern: Pattern,
}

/// Which streams of its groups.
#[derive(Debug)]
pub enum Streams {
    All,
    Named(Vec<String>),
    Prefixes(Vec<String>),
}

impl Streams {
    fn takes(&self, name: &str) -> bool {
        match self {
            Streams::All => true,
            Streams::Named(names) => names.iter().any(|known| known == name),
            Streams::Prefixes(prefixes) => prefixes.iter().any(|prefix| name.starts_with(prefix)),
        }
    }
}

/// The sessions that are open.
#[derive(Debug, Default)]
pub struct Sessions {
    open: RwLock<Vec<Arc<Session>>>,
    /// Are all to end, because the server does?
    are_over: AtomicBool,
}

/// An open session: closed when its [`Watching`] is dropped.
#[derive(Debug)]
struct Session {
    asked: Asked,
    waiting: Mutex<Update>,
}

/// Events since the update before.
#[derive(Debug, Default)]
pub struct Update {
    pub events: Vec<Tailed>,
    /// Were there more?
    pub is_sampled: bool,
    bytes: usize,
}

/// An event as a session shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tailed {
    pub group: Arc<str>,
    pub stream: Arc<str>,
    pub at_ms: i64,
    pub ingested_ms: i64,
    pub message: String,
}

/// A session as whoever opened it holds it.
#[derive(Debug)]
pub struct Watching {
    sessions: Arc<Sessions>,
    session: Arc<Session>,
}

impl Sessions {
    pub fn open(self: &Arc<Sessions>, asked: Asked) -> Result<Watching, Error> {
        let mut sessions = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if sessions.iter().filter(|open| open.asked.scope == asked.scope).count() >= SESSIONS_MAX {
            return Err(Error::TooManySessions { limit: SESSIONS_MAX });
        }
        let session = Arc::new(Session { asked, waiting: Mutex::default() });
        sessions.push(session.clone());
        drop(sessions);
        Ok(Watching { sessions: self.clone(), session })
    }

    /// Has all sessions end within a second.
    pub fn end(&self) {
        self.are_over.store(true, Ordering::Relaxed);
    }

    /// Is a session about the group? Asked on the writer's thread.
    pub fn are_about(&self, scope: &Scope, group: &str) -> bool {
        let sessions = self.open.read().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().any(|session| session.asked.is_about(scope, group))
    }

    /// Shows a batch to the sessions that want it.
    pub fn see(&self, batch: &Filed) {
        let sessions = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let about = |session: &&Arc<Session>| {
            session.asked.is_about(&batch.scope, &batch.group) && session.asked.streams.takes(&batch.stream)
        };
        sessions.iter().filter(about).for_each(|session| session.see(batch));
    }
}

impl Asked {
    fn is_about(&self, scope: &Scope, group: &str) -> bool {
        self.scope == *scope && self.groups.iter().any(|known| known == group)
    }
}

impl Session {
    fn see(&self, batch: &Filed) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, message) in batch.events() {
            if !self.asked.pattern.takes(message) {
                continue;
            }
            if waiting.events.len() == UPDATE_EVENTS || waiting.bytes + message.len() > UPDATE_BYTES {
                waiting.is_sampled = true;
                return;
            }
            waiting.bytes += message.len();
            waiting.events.push(Tailed {
                group: batch.group.clone(),
                stream: batch.stream.clone(),
                at_ms: id.at_ms(),
                ingested_ms: batch.ingested_ms,
                message: message.to_owned(),
            });
        }
    }
}

impl Watching {
    /// Is it to end before its time?
    pub fn is_over(&self) -> bool {
        self.sessions.are_over.load(Ordering::Relaxed)
    }

    /// What has come since the last call, by time.
    pub fn take(&self) -> Update {
        let mut waiting = self.session.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut update = std::mem::take(&mut *waiting);
        drop(waiting);
        update.events.sort_by_key(|event| event.at_ms);
        update
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut sessions = self.sessions.open.write().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|open| !Arc::ptr_eq(open, &self.session));
    }
}
