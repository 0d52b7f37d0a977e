use std::collections::HashSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use pitbird_names::Scope;

use super::block::Block;
use super::catalogue::{CATALOGUE, group_of};
use super::page::{Direction, Page};
use super::streams::{Names, stream_ids};
use super::walk::{Found, Load, Of, Range, walk};
use super::{EventId, Flow, Pattern};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// Text that one call looks through before it answers with what it has, bytes.
const SCAN_BYTES: usize = if cfg!(test) { 1 << 20 } else { 256 << 20 };
/// Blocks that are looked at together: at most so many, or so many bytes as they lie on disk.
const CHUNK_BLOCKS: usize = 64;
const CHUNK_BYTES: usize = 4 << 20;
/// Threads that look at them.
const THREADS_MAX: usize = 8;

/// The events of a group that a pattern takes, over all its streams by time: what FilterLogEvents does.
#[derive(Debug, Clone)]
pub struct FilterQuery {
    pub scope: Scope,
    pub group: String,
    pub streams: StreamChoice,
    /// Inclusive.
    pub start_ms: Option<i64>,
    /// Exclusive.
    pub end_ms: Option<i64>,
    pub pattern: Pattern,
    pub limit: usize,
    pub token: Option<String>,
}

/// Which streams of a group are read. Names that there are not are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StreamChoice {
    #[default]
    All,
    Named(Vec<String>),
    Prefix(String),
}

/// Events by time; with a token there may be more, also when there are none here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterPage {
    pub events: Vec<FilteredEvent>,
    pub token: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredEvent {
    pub stream: Arc<str>,
    pub at_ms: i64,
    pub ingested_ms: i64,
    pub id: EventId,
    pub message: String,
}

/// A group that nothing has been written to has no events.
pub(crate) fn filter(dir: &Path, readers: &Readers, query: &FilterQuery) -> Result<FilterPage> {
    let start = EventId::before(query.start_ms.unwrap_or(0));
    let after = match &query.token {
        Some(token) => EventId::parse(token).ok_or(Error::InvalidToken)?.max(start),
        None => start,
    };
    let catalogue = dir.join(CATALOGUE);
    let found = readers.read(&catalogue, |c| {
        let Some(group) = group_of(&catalogue, c, &query.scope, &query.group)? else { return Ok(None) };
        Ok(Some((group, stream_ids(&catalogue, c, group, &query.streams)?)))
    })?;
    let Some((group, chosen)) = found.flatten() else { return Ok(FilterPage::default()) };
    if chosen.as_ref().is_some_and(HashSet::is_empty) {
        return Ok(FilterPage::default());
    }
    let of = match chosen.as_ref().map(|chosen| (chosen.len(), chosen.iter().next())) {
        Some((1, Some(&only))) => Of::Stream(only),
        _ => Of::Group(group),
    };
    let mut reading = Reading {
        query,
        after,
        end_ms: query.end_ms.unwrap_or(i64::MAX),
        chosen,
        names: Names::new(&catalogue, readers),
        page: Page::new(Direction::Forward, query.limit),
        scanned: 0,
        resume_ms: None,
        pending: Vec::new(),
        pending_bytes: 0,
        chunk: 1,
    };
    let range = Range { of, start_ms: after.at_ms, end_ms: reading.end_ms };
    walk(dir, readers, range, Direction::Forward, |found, load| reading.visit(found, &load))?;
    reading.finish()
}

struct Reading<'a> {
    query: &'a FilterQuery,
    after: EventId,
    end_ms: i64,
    chosen: Option<HashSet<i64>>,
    names: Names<'a>,
    page: Page<FilteredEvent>,
    scanned: usize,
    /// Blocks that begin here or later haven't been read.
    resume_ms: Option<i64>,
    /// Blocks to be looked at together, by all cores.
    pending: Vec<Pending>,
    pending_bytes: usize,
    /// How many blocks these are to be; rises, so that a page that is soon full reads little.
    chunk: usize,
}

/// A block that has been read and not looked at.
struct Pending {
    stream: Arc<str>,
    bytes: Vec<u8>,
    path: Arc<Path>,
}

/// What a block has of what is wanted.
#[derive(Default)]
struct Wanted {
    text_bytes: usize,
    events: Vec<FilteredEvent>,
    /// The first that found no room beside these.
    refused: Option<EventId>,
}

impl Reading<'_> {
    fn visit(&mut self, found: Found, load: &Load<'_>) -> Result<Flow> {
        let first = EventId::before(found.min_ms);
        if !self.page.wants(first) {
            self.page.refuse(first);
            return Ok(Flow::Stop);
        }
        if self.scanned >= SCAN_BYTES && found.min_ms > self.after.at_ms {
            self.resume_ms = Some(found.min_ms);
            return Ok(Flow::Stop);
        }
        if self.chosen.as_ref().is_some_and(|chosen| !chosen.contains(&found.stream)) {
            return Ok(Flow::Next);
        }
        let Some(stream) = self.names.of(found.stream)? else { return Ok(Flow::Next) };
        let bytes = load.bytes()?;
        self.pending_bytes += bytes.len();
        self.pending.push(Pending { stream, bytes, path: load.path().into() });
        if self.pending.len() >= self.chunk || self.pending_bytes >= CHUNK_BYTES {
            self.look()?;
            self.chunk = (self.chunk * 2).min(CHUNK_BLOCKS);
        }
        Ok(Flow::Next)
    }

    /// Looks at the pending blocks.
    fn look(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
        let share = pending.len().div_ceil(threads).max(CHUNK_BLOCKS / 8);
        let wanted = |blocks: &[Pending]| self.wanted(blocks);
        let found: Vec<Wanted> = match pending.split_at_checked(share) {
            Some((own, others)) if !others.is_empty() => std::thread::scope(|scope| {
                let others: Vec<_> =
                    others.chunks(share).map(|blocks| scope.spawn(|| wanted(blocks))).collect();
                let mut all = vec![wanted(own)?];
                for other in others {
                    all.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
                }
                Ok::<_, Error>(all)
            })?,
            _ => vec![wanted(&pending)?],
        };
        for wanted in found {
            self.scanned += wanted.text_bytes;
            for event in wanted.events {
                self.page.offer(event.id, event.message.len(), || event);
            }
            if let Some(refused) = wanted.refused {
                self.page.refuse(refused);
            }
        }
        Ok(())
    }

    /// The events of the blocks that are wanted and may find room on the page.
    fn wanted(&self, blocks: &[Pending]) -> Result<Wanted> {
        let mut wanted = Wanted::default();
        let mut block = Block::default();
        let mut page = Page::new(Direction::Forward, self.query.limit);
        for pending in blocks {
            if !block.decode_again(&pending.bytes) {
                return Err(Error::corrupt(&pending.path, "a block can't be read"));
            }
            wanted.text_bytes += block.text.len();
            if !self.query.pattern.may_take_in(&block.text) {
                continue;
            }
            for entry in &block.entries {
                let (id, message) = (entry.id, block.message(entry));
                if id > self.after && id.at_ms < self.end_ms && self.query.pattern.takes(message) {
                    page.offer(id, message.len(), || FilteredEvent {
                        stream: pending.stream.clone(),
                        at_ms: id.at_ms,
                        ingested_ms: entry.ingested_ms,
                        id,
                        message: message.to_owned(),
                    });
                }
            }
        }
        wanted.refused = page.refused();
        wanted.events = page.into_events().into_iter().map(|(_, event)| event).collect();
        Ok(wanted)
    }

    fn finish(mut self) -> Result<FilterPage> {
        self.look()?;
        let cut = self.page.is_cut();
        let mut events: Vec<FilteredEvent> =
            self.page.into_events().into_iter().map(|(_, event)| event).collect();
        let mut token = events.last().filter(|_| cut).map(|last| last.id);
        if let Some(resume_ms) = self.resume_ms {
            // An unread block may have events between these.
            let whole = events.partition_point(|event| event.at_ms < resume_ms);
            if whole < events.len() || token.is_none() {
                events.truncate(whole);
                token = Some(EventId::before(resume_ms));
            }
        }
        Ok(FilterPage { events, token: token.map(|token| token.to_string()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::NewEvent;
    use crate::{Config, Telemetry};

    const START: i64 = 1_763_899_200_000;

    /// Pages until there is no token: how many events on each.
    async fn pages(telemetry: &Telemetry, pattern: &str) -> Vec<usize> {
        let (mut pages, mut token) = (Vec::new(), None);
        loop {
            let query = FilterQuery {
                scope: Scope::default(),
                group: "g".to_owned(),
                streams: StreamChoice::All,
                start_ms: None,
                end_ms: None,
                pattern: Pattern::parse(pattern).expect("a pattern"),
                limit: 100,
                token: token.take(),
            };
            let page = telemetry.filter(query).await.expect("a page");
            pages.push(page.events.len());
            token = page.token;
            if token.is_none() {
                return pages;
            }
        }
    }

    #[tokio::test]
    async fn a_page_is_answered_empty_when_much_was_looked_through() {
        let dir = tempfile::tempdir().expect("a folder");
        let telemetry = Telemetry::open(dir.path(), &Config::default()).expect("telemetry");
        let scope = Scope::default();
        telemetry.create_stream(&scope, "g", "s").await.expect("a stream");
        for batch in 0..4 * SCAN_BYTES as i64 / 100_000 {
            let event =
                |number: i64, message: String| NewEvent { at_ms: START + batch * 100 + number, message };
            let mut events: Vec<NewEvent> = (0..100).map(|number| event(number, "x".repeat(1000))).collect();
            events.push(event(99, format!("wanted{batch}")));
            telemetry.append(&scope, "g", "s", &events).await.expect("room");
        }
        let found = pages(&telemetry, "wanted39").await;
        assert!(found.len() >= 3 && found[0] == 0, "{found:?}");
        assert_eq!(found.iter().sum::<usize>(), 1, "{found:?}");
        let all = pages(&telemetry, "wanted").await;
        assert_eq!(all.iter().sum::<usize>(), 41, "none twice, none left out: {all:?}");
    }
}
