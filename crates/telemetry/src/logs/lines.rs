//! Lines of the data plane on their way to the writer: written straight into a buffer, never waiting.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::StreamName;
use crate::metrics::{Padded, shard_of_thread, shards};
use crate::writer::Bell;

/// Longest line, bytes; a longer one becomes several events. Source: Lambda, a log line's quota.
pub const LINE_BYTES: usize = 262_144 - 26;
/// Room is taken from what all streams share in pieces of this size, bytes.
const PIECE_BYTES: usize = 4096;
/// Room for the first lines after a drain: who writes one soon writes more, bytes.
const FIRST_BYTES: usize = 1024;
const FIRST_MARKS: usize = FIRST_BYTES / 64;
/// Text at which lines go on in another piece of memory, bytes. So no line waits while megabytes are copied to where there is more room, and
/// what has been filed can be written to again, which spares the kernel giving and taking pages all the time.
const CHUNK_BYTES: usize = 64 << 10;
/// Pieces that wait to be written to again: what both threads of a busy machine of two cores fill between two drains.
const SPARES_MAX: usize = 128;
/// What one line weighs beside its text, bytes.
const MARK_BYTES: usize = size_of::<Mark>();
/// The first piece: what a buffer with a line takes.
const FIRST_PIECE_BYTES: usize = FIRST_BYTES + FIRST_MARKS * MARK_BYTES;

/// Who writes to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// One thread at a time, such as an environment's output: one buffer, lines stay in the order they came.
    One,
    /// Many threads at once, such as an access log: a buffer for each core, lines of the same millisecond in any order.
    Many,
}

/// A stream that lines are written to without waiting. They can be read within a second, and the stream is made with the
/// first. Made by [`Telemetry::log_stream`](crate::Telemetry::log_stream).
///
/// When lines come faster than they can be filed and the room for them is used up, lines are dropped, and an event
/// in the stream says how many.
#[derive(Debug)]
pub struct LogStream {
    pub(crate) name: StreamName,
    shards: Box<[Padded<Mutex<Buffer>>]>,
    /// On the list of those to file? Set and read under a shard's lock.
    queued: AtomicBool,
    intake: Arc<Intake>,
}

#[derive(Debug, Default)]
struct Buffer {
    /// Written before `lines`, the oldest first.
    full: Vec<Lines>,
    lines: Lines,
    /// What `full` takes, bytes.
    full_bytes: usize,
    /// Room taken, bytes.
    room: usize,
    dropped: Dropped,
}

/// Lines that found no room.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dropped {
    pub count: u64,
    pub last_ms: i64,
}

/// Events of one stream in the order they came, their text in one piece.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub text: String,
    pub marks: Vec<Mark>,
}

/// One event of [`Lines`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub at_ms: i64,
    /// Where its text ends; it starts where the one before ends.
    pub end: u32,
}

/// What a drain brings of one stream.
#[derive(Debug)]
pub(crate) struct Drained {
    pub name: StreamName,
    /// Of each shard, one after the other.
    pub lines: Vec<Lines>,
    pub dropped: Dropped,
    /// Room to give back once the lines are filed.
    pub room: usize,
}

impl LogStream {
    /// The stream's own name, without its group's.
    pub fn name(&self) -> &str {
        &self.name.stream
    }

    /// Writes an event of one line, at `at_ms` milliseconds since 1970.
    pub fn line(self: &Arc<Self>, at_ms: i64, text: &str) {
        self.write(at_ms, |buffer| buffer.push_str(text));
    }

    /// Writes an event whose bytes came from outside: what isn't UTF-8 is replaced by U+FFFD.
    pub fn bytes(self: &Arc<Self>, at_ms: i64, bytes: &[u8]) {
        self.line(at_ms, &String::from_utf8_lossy(bytes));
    }

    /// Writes an event whose text `write` appends, straight into the buffer.
    pub fn write(self: &Arc<Self>, at_ms: i64, write: impl FnOnce(&mut String)) {
        if !self.intake.is_on {
            return;
        }
        let place = shard_of_thread() & (self.shards.len() - 1);
        let mut buffer = self.shards[place].0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.take(at_ms.max(0), write, &self.intake);
        // Under the lock, for the same reason as a probe's mark.
        if !self.queued.load(Ordering::Relaxed) {
            self.queue();
        }
    }

    #[cold]
    fn queue(self: &Arc<Self>) {
        self.queued.store(true, Ordering::Relaxed);
        self.intake.dirty.lock().unwrap_or_else(PoisonError::into_inner).push(self.clone());
        self.intake.bell.lines();
    }

    /// Hands over what was written since the last drain, shard after shard.
    pub(crate) fn drain(&self) -> Drained {
        self.queued.store(false, Ordering::Relaxed);
        let mut all =
            Drained { name: self.name.clone(), lines: Vec::new(), dropped: Dropped::default(), room: 0 };
        for shard in &self.shards {
            let buffer = std::mem::take(&mut *shard.0.lock().unwrap_or_else(PoisonError::into_inner));
            let Buffer { full, lines, room, dropped, .. } = buffer;
            all.lines.extend(full.into_iter().chain([lines]).filter(|lines| !lines.marks.is_empty()));
            all.room += room;
            all.dropped.count += dropped.count;
            all.dropped.last_ms = all.dropped.last_ms.max(dropped.last_ms);
        }
        all
    }
}

impl Buffer {
    fn take(&mut self, at_ms: i64, write: impl FnOnce(&mut String), intake: &Intake) {
        if self.lines.marks.is_empty() {
            self.lines.text.reserve(FIRST_BYTES);
            self.lines.marks.reserve(FIRST_MARKS);
        }
        if self.lines.text.len() >= CHUNK_BYTES {
            self.full_bytes += self.lines.bytes();
            self.full.push(std::mem::replace(&mut self.lines, intake.chunk()));
        }
        let (length, marks) = (self.lines.text.len(), self.lines.marks.len());
        write(&mut self.lines.text);
        self.lines.mark(at_ms, length);
        let used = self.full_bytes + self.lines.bytes();
        let fits = used <= self.room || {
            // Many streams with a few lines each mustn't take more room than they do memory.
            let piece = if self.room == 0 { FIRST_PIECE_BYTES } else { PIECE_BYTES };
            let more = (used - self.room).next_multiple_of(piece);
            intake.reserve(more) && {
                self.room += more;
                true
            }
        };
        if !fits {
            self.lines.text.truncate(length);
            self.lines.marks.truncate(marks);
            self.dropped.count += 1;
            self.dropped.last_ms = at_ms;
            intake.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Lines {
    /// Makes events of the text from `start` to the end: one, unless it is longer than a line may be.
    fn mark(&mut self, at_ms: i64, mut start: usize) {
        while self.text.len() - start > LINE_BYTES {
            let cut = start + LINE_BYTES;
            start = (start..=cut).rev().find(|place| self.text.is_char_boundary(*place)).unwrap_or(cut);
            self.marks.push(Mark { at_ms, end: start as u32 });
        }
        self.marks.push(Mark { at_ms, end: self.text.len() as u32 });
    }

    /// The text of an event by its place.
    pub fn message(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.marks[before].end);
        &self.text[start as usize..self.marks[place].end as usize]
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.marks.len() * MARK_BYTES
    }

    pub fn push(&mut self, at_ms: i64, message: &str) {
        self.text.push_str(message);
        self.marks.push(Mark { at_ms: at_ms.max(0), end: self.text.len() as u32 });
    }
}

/// What all streams share: the room for lines, and the list of those that have some.
#[derive(Debug)]
pub(crate) struct Intake {
    dirty: Mutex<Vec<Arc<LogStream>>>,
    bell: Bell,
    room: AtomicUsize,
    dropped: AtomicU64,
    /// Memory of lines that have been filed.
    spares: Mutex<Vec<Lines>>,
    /// Are lines taken at all?
    is_on: bool,
}

impl Intake {
    /// `room` in bytes, at most 1 GiB, so that 32 bits count the text of any stream.
    pub fn new(bell: Bell, room: usize, is_on: bool) -> Arc<Intake> {
        let room = room.min(1 << 30);
        let (dirty, spares, dropped) = (Mutex::default(), Mutex::default(), AtomicU64::new(0));
        Arc::new(Intake { dirty, bell, room: AtomicUsize::new(room), dropped, spares, is_on })
    }

    pub fn stream(self: &Arc<Self>, name: StreamName, spread: Spread) -> Arc<LogStream> {
        let count = match spread {
            Spread::One => 1,
            Spread::Many => shards(),
        };
        Arc::new(LogStream {
            name,
            shards: (0..count).map(|_| Padded::default()).collect(),
            queued: AtomicBool::new(false),
            intake: self.clone(),
        })
    }

    /// Takes the list of streams that have something to file.
    pub fn take_dirty(&self) -> Vec<Arc<LogStream>> {
        std::mem::take(&mut self.dirty.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lines dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn reserve(&self, bytes: usize) -> bool {
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(bytes)).is_ok()
    }

    /// Memory for lines, which has been used before if there is some.
    #[cold]
    fn chunk(&self) -> Lines {
        let spare = self.spares.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Lines {
            text: String::with_capacity(CHUNK_BYTES + FIRST_BYTES),
            marks: Vec::with_capacity(CHUNK_BYTES / 128),
        })
    }

    /// Takes the memory of lines that have been filed.
    pub fn reuse(&self, filed: impl Iterator<Item = Lines>) {
        // Small pieces are at home in the allocator, very large ones are rare.
        let fits = |lines: &Lines| (CHUNK_BYTES..=2 * CHUNK_BYTES).contains(&lines.text.capacity());
        let mut spares = self.spares.lock().unwrap_or_else(PoisonError::into_inner);
        for mut lines in filed.filter(fits) {
            if spares.len() == SPARES_MAX {
                break;
            }
            lines.text.clear();
            lines.marks.clear();
            spares.push(lines);
        }
    }

    /// Does memory wait to be written to again?
    pub fn has_spares(&self) -> bool {
        !self.spares.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Gives it back to the system: nobody has written lately.
    pub fn forget_spares(&self) {
        std::mem::take(&mut *self.spares.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn give_back(&self, bytes: usize) {
        self.room.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use pitbird_names::Scope;

    use super::*;

    /// Writes lines, and reads what a drain brings of them.
    fn through(stream: &Arc<LogStream>, lines: &[String]) -> Drained {
        lines.iter().enumerate().for_each(|(at_ms, line)| stream.line(at_ms as i64, line));
        let drained = stream.drain();
        let read: Vec<(i64, &str)> = drained
            .lines
            .iter()
            .flat_map(|part| {
                (0..part.marks.len()).map(|place| (part.marks[place].at_ms, part.message(place)))
            })
            .collect();
        let written: Vec<(i64, &str)> =
            lines.iter().enumerate().map(|(at_ms, line)| (at_ms as i64, line.as_str())).collect();
        assert_eq!(read, written);
        drained
    }

    #[test]
    fn lines_go_on_in_other_memory_which_is_used_again() {
        const ROOM: usize = 4 << 20;
        let (commands, _kept) = std::sync::mpsc::channel();
        let intake = Intake::new(Bell::new(commands), ROOM, true);
        let name = StreamName { scope: Scope::default(), group: "g".into(), stream: "s".into() };
        let stream = intake.stream(name, Spread::One);
        let many: Vec<String> = (0..5000).map(|n| format!("line {n} {}", "é".repeat(n % 50))).collect();
        for _ in 0..3 {
            let drained = through(&stream, &many);
            assert!(
                drained.lines.len() > 3
                    && drained.lines.iter().all(|lines| lines.text.len() < 2 * CHUNK_BYTES)
            );
            let used = drained.lines.iter().map(Lines::bytes).sum::<usize>();
            assert!((used..used + PIECE_BYTES).contains(&drained.room), "{used} and {}", drained.room);
            intake.give_back(drained.room);
            intake.reuse(drained.lines.into_iter());
            assert!(intake.has_spares());
        }
        assert_eq!(intake.room.load(Ordering::Relaxed), ROOM, "all room has come back");
        assert_eq!(intake.dropped(), 0);
        intake.forget_spares();
        let few = through(&stream, &["one".to_owned(), "x".repeat(3 * CHUNK_BYTES)]);
        assert_eq!((few.lines.len(), few.dropped.count), (1, 0));
        intake.reuse(few.lines.into_iter());
        assert!(!intake.has_spares(), "neither small nor very large pieces are kept");
    }
}
