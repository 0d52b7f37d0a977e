//! Looking through many events with all cores.
//!
//! One thread walks over the blocks and reads them; all threads, that one too, decompress them and show their events to
//! visitors. At most a few blocks wait at any time, so memory doesn't grow with what is scanned.

use std::collections::HashSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem::Finder;
use pitbird_names::Scope;

use super::block::{Block, Entry};
use super::catalogue::{CATALOGUE, group_of};
use super::page::Direction;
use super::streams::{Names, stream_ids};
use super::walk::{Found, Load, Of, Range, walk};
use super::{EventId, EventPointer, StreamChoice};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// Threads that one scan uses at most.
const THREADS_MAX: usize = 8;
/// Blocks that wait for a thread, for each thread.
const WAITING: usize = 2;

/// Which events are looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanQuery {
    pub scope: Scope,
    /// Groups that there are not are passed over.
    pub groups: Vec<String>,
    pub streams: StreamChoice,
    /// Inclusive, milliseconds since 1970; from the beginning when there is none.
    pub start_ms: Option<i64>,
    /// Exclusive; to the end when there is none.
    pub end_ms: Option<i64>,
    /// Text that each wanted message has in it, all of them, in any order: only such events are shown. The more and the
    /// longer, the faster.
    pub needles: Vec<Vec<u8>>,
    /// Are late blocks shown before early ones? Of several threads each has a part, so this is no order to rest on.
    pub latest_first: bool,
}

/// An event that is shown to a visitor.
#[derive(Debug, Clone, Copy)]
pub struct ScannedEvent<'a> {
    /// When it happened, milliseconds since 1970.
    pub at_ms: i64,
    /// When it came here, milliseconds since 1970.
    pub ingested_ms: i64,
    pub group: &'a str,
    pub stream: &'a str,
    pub id: EventId,
    /// What [`Telemetry::record`](crate::Telemetry::record) finds it by.
    pub pointer: EventPointer,
    pub message: &'a str,
}

/// Go on, or leave it at that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Next,
    Stop,
}

/// Sees events. Each thread has a visitor of its own; the events of one block come in order, blocks in any.
pub trait Visit: Send {
    /// With [`Flow::Stop`] this visitor sees no more, and the others only the rest of the blocks that they are in.
    fn event(&mut self, event: &ScannedEvent<'_>) -> Flow;
}

impl<F: FnMut(&ScannedEvent<'_>) -> Flow + Send> Visit for F {
    fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
        self(event)
    }
}

/// How far a scan is, and the way to end it. Counts go up block by block.
#[derive(Debug, Default)]
pub struct ScanProgress {
    stopped: AtomicBool,
    cancelled: AtomicBool,
    bytes: AtomicU64,
    events: AtomicU64,
}

impl ScanProgress {
    /// Ends the scan after the blocks that are being looked at; it then returns its visitors as if it were done.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.stop();
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Text of the events looked through so far, bytes, whether a visitor has seen them or not.
    pub fn scanned_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Events looked through so far.
    pub fn scanned_events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Ends the scan without calling it cancelled.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn count(&self, events: u64, bytes: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A block on its way to a visitor.
struct Task {
    bytes: Vec<u8>,
    path: Arc<Path>,
    group: Arc<str>,
    stream: Arc<str>,
    stream_id: i64,
}

/// What all threads of a scan share.
struct Scan<'a> {
    dir: &'a Path,
    readers: &'a Readers,
    query: &'a ScanQuery,
    /// Longest first.
    needles: Vec<Finder<'a>>,
    start_ms: i64,
    end_ms: i64,
    progress: &'a ScanProgress,
}

/// Shows the query's events to visitors made by `make`, one for each thread, and returns them.
pub(crate) fn scan<V: Visit>(
    dir: &Path,
    readers: &Readers,
    query: &ScanQuery,
    progress: &ScanProgress,
    make: impl Fn() -> V + Sync,
) -> Result<Vec<V>> {
    let mut needles: Vec<&[u8]> = query.needles.iter().map(Vec::as_slice).collect();
    needles.retain(|needle| !needle.is_empty());
    needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    let scan = Scan {
        dir,
        readers,
        query,
        needles: needles.into_iter().map(Finder::new).collect(),
        start_ms: query.start_ms.unwrap_or(0).max(0),
        end_ms: query.end_ms.unwrap_or(i64::MAX),
        progress,
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let (send, receive) = sync_channel(threads * WAITING);
    let receive = Mutex::new(receive);
    std::thread::scope(|scope| {
        let work = || Worker::new(&scan, make()).work(&receive);
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut own = Worker::new(&scan, make());
        let fed = scan.feed(send, &mut own);
        if fed.is_err() {
            progress.stop();
        }
        let own = own.work(&receive);
        let mut visitors = vec![own?];
        for other in others {
            visitors.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        fed.map(|()| visitors)
    })
}

impl Scan<'_> {
    /// Reads block after block for whoever has time.
    fn feed<V: Visit>(&self, send: SyncSender<Task>, own: &mut Worker<'_, V>) -> Result<()> {
        let catalogue = self.dir.join(CATALOGUE);
        let mut names = Names::new(&catalogue, self.readers);
        for name in &self.query.groups {
            let Some((group, chosen)) = self.group(&catalogue, name)? else { continue };
            let of = match chosen.as_ref().map(|chosen| (chosen.len(), chosen.iter().next())) {
                Some((0, _)) => continue,
                Some((1, Some(&only))) => Of::Stream(only),
                _ => Of::Group(group),
            };
            let name: Arc<str> = name.as_str().into();
            let range = Range { of, start_ms: self.start_ms, end_ms: self.end_ms };
            let direction = if self.query.latest_first { Direction::Backward } else { Direction::Forward };
            walk(self.dir, self.readers, range, direction, |found, load| {
                if self.progress.is_stopped() {
                    return Ok(Flow::Stop);
                }
                if chosen.as_ref().is_some_and(|chosen| !chosen.contains(&found.stream)) {
                    return Ok(Flow::Next);
                }
                let Some(stream) = names.of(found.stream)? else { return Ok(Flow::Next) };
                let task = task(found, &load, &name, stream)?;
                match send.try_send(task) {
                    Ok(()) => {}
                    Err(TrySendError::Full(task) | TrySendError::Disconnected(task)) => own.look(&task)?,
                }
                Ok(Flow::Next)
            })?;
        }
        Ok(())
    }

    fn group(&self, catalogue: &Path, name: &str) -> Result<Option<(i64, Option<HashSet<i64>>)>> {
        let found = self.readers.read(catalogue, |c| {
            let Some(group) = group_of(catalogue, c, &self.query.scope, name)? else { return Ok(None) };
            Ok(Some((group, stream_ids(catalogue, c, group, &self.query.streams)?)))
        })?;
        Ok(found.flatten())
    }
}

fn task(found: Found, load: &Load<'_>, group: &Arc<str>, stream: Arc<str>) -> Result<Task> {
    let (path, group) = (Arc::from(load.path()), group.clone());
    Ok(Task { bytes: load.bytes()?, path, group, stream, stream_id: found.stream })
}

/// One thread's part.
struct Worker<'a, V> {
    scan: &'a Scan<'a>,
    visitor: V,
    /// Reused from block to block.
    block: Block,
}

impl<'a, V: Visit> Worker<'a, V> {
    fn new(scan: &'a Scan<'a>, visitor: V) -> Worker<'a, V> {
        Worker { scan, visitor, block: Block::default() }
    }

    /// Looks at blocks until there are no more.
    fn work(mut self, receive: &Mutex<Receiver<Task>>) -> Result<V> {
        loop {
            let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(task) = next else { return Ok(self.visitor) };
            if let Err(error) = self.look(&task) {
                self.scan.progress.stop();
                // Whoever reads mustn't wait for us: what is left is taken and dropped.
                while receive.lock().unwrap_or_else(PoisonError::into_inner).recv().is_ok() {}
                return Err(error);
            }
        }
    }

    fn look(&mut self, task: &Task) -> Result<()> {
        if self.scan.progress.is_stopped() {
            return Ok(());
        }
        let mut block = std::mem::take(&mut self.block);
        if !block.decode_again(&task.bytes) {
            return Err(Error::corrupt(&task.path, "a block can't be read"));
        }
        let flow = match self.scan.needles.is_empty() {
            true => self.look_at_all(task, &block),
            false => self.look_for_needles(task, &block),
        };
        if flow == Flow::Stop {
            self.scan.progress.stop();
        }
        let within = self.scan.within(&block);
        let bytes = within.iter().map(|entry| u64::from(entry.end - entry.start)).sum();
        self.scan.progress.count(within.len() as u64, bytes);
        self.block = block;
        Ok(())
    }

    fn look_at_all(&mut self, task: &Task, block: &Block) -> Flow {
        for entry in self.scan.within(block) {
            if self.show(task, block, entry) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Next
    }

    /// Looks for the first needle in the whole text, and for the others where that one is.
    fn look_for_needles(&mut self, task: &Task, block: &Block) -> Flow {
        let (text, within) = (block.text.as_bytes(), self.scan.within(block));
        let (Some(first), Some(last)) = (within.first(), within.last()) else { return Flow::Next };
        let (mut from, end) = (first.start as usize, last.end as usize);
        while let Some(hit) = self.scan.needles[0].find(&text[from..end]) {
            let place = from + hit;
            let entry = &within[within.partition_point(|entry| entry.end as usize <= place)];
            let message = &text[entry.start as usize..entry.end as usize];
            // What was found may reach into the next message, and is none then.
            if self.scan.needles.iter().all(|needle| needle.find(message).is_some())
                && self.show(task, block, entry) == Flow::Stop
            {
                return Flow::Stop;
            }
            from = entry.end as usize;
        }
        Flow::Next
    }

    fn show(&mut self, task: &Task, block: &Block, entry: &Entry) -> Flow {
        self.visitor.event(&ScannedEvent {
            at_ms: entry.id.at_ms,
            ingested_ms: entry.ingested_ms,
            group: &task.group,
            stream: &task.stream,
            id: entry.id,
            pointer: EventPointer { stream: task.stream_id, id: entry.id },
            message: block.message(entry),
        })
    }
}

impl Scan<'_> {
    /// The block's events that are in the range of time.
    fn within<'b>(&self, block: &'b Block) -> &'b [Entry] {
        let start = block.entries.partition_point(|entry| entry.id.at_ms < self.start_ms);
        let end = block.entries.partition_point(|entry| entry.id.at_ms < self.end_ms);
        block.entries.get(start..end).unwrap_or_default()
    }
}
