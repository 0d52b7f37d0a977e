//! A tap behind the writer: whoever wants to see events as they are filed.
//!
//! The writer hands on what it has filed once that is committed, so that nobody sees an event that isn't there, and goes on
//! at once. What lies between it and a slow reader has a bound; beyond it batches are left out and counted, for the
//! request's path and the disk must not wait for who looks on.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pitbird_names::Scope;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::lines::Lines;
use super::{EventId, StreamName};

/// Text that was filed and that the reader hasn't taken yet, bytes.
const ROOM_BYTES: usize = 64 << 20;

/// Is a batch of a group wanted, by its text? Asked on the writer's thread: it must be quick and must not wait.
pub type Wanted = Arc<dyn Fn(&Scope, &str, &str) -> bool + Send + Sync>;

/// Where filed events come out, in the order in which they were filed.
#[derive(Debug)]
pub struct Tap {
    batches: UnboundedReceiver<Filed>,
    outlet: Arc<Outlet>,
}

impl Tap {
    /// The next batch; `None` when telemetry is closed and everything has been taken.
    pub async fn next(&mut self) -> Option<Filed> {
        self.batches.recv().await
    }

    /// The next batch if there is one already.
    pub fn try_next(&mut self) -> Option<Filed> {
        self.batches.try_recv().ok()
    }

    /// Events that found no room since the start.
    pub fn missed(&self) -> u64 {
        self.outlet.missed.load(Ordering::Relaxed)
    }
}

/// Events of one stream that were filed together, by rising [`EventId`].
#[derive(Debug)]
pub struct Filed {
    pub scope: Scope,
    pub group: Arc<str>,
    pub stream: Arc<str>,
    /// When they came here, milliseconds since 1970.
    pub ingested_ms: i64,
    text: String,
    /// Each event, and where its text ends; it starts where the one before ends.
    events: Vec<(EventId, usize)>,
    room: Option<Room>,
}

impl Filed {
    /// The events and their messages.
    pub fn events(&self) -> impl Iterator<Item = (EventId, &str)> {
        let starts = std::iter::once(0).chain(self.events.iter().map(|(_, end)| *end));
        self.events.iter().zip(starts).map(|((id, end), start)| (*id, &self.text[start..*end]))
    }

    /// How long its messages are together, bytes.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn push(&mut self, id: EventId, message: &str) {
        self.text.push_str(message);
        self.events.push((id, self.text.len()));
    }
}

/// The writer's end.
#[derive(Default)]
pub(crate) struct Outlet {
    reader: Mutex<Option<(Wanted, UnboundedSender<Filed>)>>,
    used: Arc<AtomicUsize>,
    missed: AtomicU64,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet")
            .field("used", &self.used)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

impl Outlet {
    /// Opens a tap; one that was open before gets nothing any more.
    pub fn open(self: &Arc<Outlet>, wanted: Wanted) -> Tap {
        let (sender, batches) = unbounded_channel();
        *self.reader() = Some((wanted, sender));
        Tap { batches, outlet: self.clone() }
    }

    /// Nothing more comes.
    pub fn close(&self) {
        *self.reader() = None;
    }

    /// A batch for the tap, if somebody wants it.
    pub fn batch(&self, name: &StreamName, lines: &[Lines], ingested_ms: i64) -> Option<Filed> {
        let reader = self.reader();
        let (wanted, _) = reader.as_ref()?;
        let is_wanted = lines.iter().any(|lines| wanted(&name.scope, &name.group, &lines.text));
        is_wanted.then(|| Filed {
            scope: name.scope.clone(),
            group: name.group.clone(),
            stream: name.stream.clone(),
            ingested_ms,
            text: String::with_capacity(lines.iter().map(|lines| lines.text.len()).sum()),
            events: Vec::new(),
            room: None,
        })
    }

    /// Hands on what has been committed.
    pub fn send(&self, batches: impl Iterator<Item = Filed>) {
        let mut missed = 0;
        for mut batch in batches {
            batch.room = Room::take(&self.used, batch.text.len());
            if batch.room.is_none() {
                missed += batch.len() as u64;
            } else if let Some((_, sender)) = &*self.reader() {
                // Who has gone away wants nothing.
                let _ = sender.send(batch);
            }
        }
        if missed > 0 {
            self.missed.fetch_add(missed, Ordering::Relaxed);
            tracing::error!(missed, "log events came faster than they could be looked at");
        }
    }

    fn reader(&self) -> std::sync::MutexGuard<'_, Option<(Wanted, UnboundedSender<Filed>)>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room taken up, until it is dropped.
#[derive(Debug)]
struct Room {
    used: Arc<AtomicUsize>,
    bytes: usize,
}

impl Room {
    fn take(used: &Arc<AtomicUsize>, bytes: usize) -> Option<Room> {
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= ROOM_BYTES);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Room { used: used.clone(), bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(outlet: &Outlet, text: &str) -> Option<Filed> {
        let name = StreamName { scope: Scope::default(), group: "g".into(), stream: "s".into() };
        let mut lines = Lines::default();
        lines.push(0, text);
        let mut batch = outlet.batch(&name, &[lines], 0)?;
        batch.push(EventId::before(1), text);
        Some(batch)
    }

    #[test]
    fn what_finds_no_room_is_counted_and_room_comes_back() {
        let outlet = Arc::new(Outlet::default());
        assert!(batch(&outlet, "nobody looks").is_none());
        let mut tap = outlet.open(Arc::new(|_, _, text| !text.is_empty()));
        assert!(batch(&outlet, "").is_none(), "not wanted");
        let half = "x".repeat(ROOM_BYTES / 2);
        for _ in 0..3 {
            outlet.send(batch(&outlet, &half).into_iter());
        }
        assert_eq!(tap.missed(), 1);
        assert!(tap.try_next().is_some_and(|batch| batch.len() == 1));
        outlet.send(batch(&outlet, &half).into_iter());
        assert_eq!(tap.missed(), 1);
        assert_eq!(std::iter::from_fn(|| tap.try_next()).count(), 2);
        assert_eq!(outlet.used.load(Ordering::Relaxed), 0);
    }
}
