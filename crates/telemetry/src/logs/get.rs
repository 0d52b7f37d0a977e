use std::path::Path;

use pitbird_names::Scope;

use super::block::HOUR_MS;
use super::catalogue::CATALOGUE;
use super::page::{Direction, Page};
use super::streams::stream_id;
use super::walk::{Of, Range, walk};
use super::{EventId, Flow, LogEvent};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// One stream's events in order, a page at a time: what GetLogEvents does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetQuery {
    pub scope: Scope,
    pub group: String,
    pub stream: String,
    /// Inclusive.
    pub start_ms: Option<i64>,
    /// Exclusive.
    pub end_ms: Option<i64>,
    pub limit: usize,
    pub from: ReadFrom,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFrom {
    /// The earliest events.
    Head,
    /// The latest events.
    Tail,
    /// Where an earlier page ended (`f/…`) or began (`b/…`).
    Token(String),
}

/// Events by time. Both tokens are always there; one that comes back unchanged says that there is nothing further in its
/// direction for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<LogEvent>,
    pub forward_token: String,
    pub backward_token: String,
}

pub(crate) fn get(dir: &Path, readers: &Readers, query: &GetQuery) -> Result<EventPage> {
    let catalogue = dir.join(CATALOGUE);
    let found =
        readers.read(&catalogue, |c| stream_id(&catalogue, c, &query.scope, &query.group, &query.stream))?;
    let stream = found.flatten().ok_or(Error::NoStream)?;
    let start = EventId::before(query.start_ms.unwrap_or(0));
    let end_ms = query.end_ms.unwrap_or(i64::MAX);
    // A place between two events: after it forward, up to it backward.
    let (direction, place) = match &query.from {
        ReadFrom::Head => (Direction::Forward, start),
        ReadFrom::Tail => (Direction::Backward, EventId::MAX),
        ReadFrom::Token(token) => parse(token).ok_or(Error::InvalidToken)?,
    };
    let events = read(dir, readers, stream, (start, end_ms), direction, place, query.limit)?;
    let (before, after) = match (events.first(), events.last()) {
        (Some(first), Some(last)) => (first.id.preceding(), last.id),
        // Nothing at all: what comes next comes after the start.
        _ if query.from == ReadFrom::Tail => (start, start),
        _ => (place, place),
    };
    Ok(EventPage { events, forward_token: format!("f/{after}/s"), backward_token: format!("b/{before}/s") })
}

fn read(
    dir: &Path,
    readers: &Readers,
    stream: i64,
    (start, end_ms): (EventId, i64),
    direction: Direction,
    place: EventId,
    limit: usize,
) -> Result<Vec<LogEvent>> {
    let (after, upto) = match direction {
        Direction::Forward => (place.max(start), EventId::MAX),
        Direction::Backward => (start, place),
    };
    let end_ms = end_ms.min(upto.at_ms.saturating_add(1));
    let range = Range { of: Of::Stream(stream), start_ms: after.at_ms, end_ms };
    let mut page = Page::new(direction, limit);
    walk(dir, readers, range, direction, |found, load| {
        match direction {
            Direction::Forward if !page.wants(EventId::before(found.min_ms)) => return Ok(Flow::Stop),
            Direction::Backward if !page.wants(last_at(found.max_ms)) => {
                // Blocks further back may reach to the end of this one's hour.
                let hour_end = (found.min_ms.div_euclid(HOUR_MS) + 1) * HOUR_MS - 1;
                return Ok(if page.wants(last_at(hour_end)) { Flow::Next } else { Flow::Stop });
            }
            _ => {}
        }
        let block = load.read()?;
        for entry in &block.entries {
            if entry.id > after && entry.id <= upto && entry.id.at_ms < end_ms {
                let bytes = (entry.end - entry.start) as usize;
                page.offer(entry.id, bytes, || (entry.ingested_ms, block.message(entry).to_owned()));
            }
        }
        Ok(Flow::Next)
    })?;
    let events = page.into_events().into_iter();
    Ok(events
        .map(|(id, (ingested_ms, message))| LogEvent { at_ms: id.at_ms, ingested_ms, id, message })
        .collect())
}

fn last_at(at_ms: i64) -> EventId {
    EventId { at_ms, number: u64::MAX }
}

fn parse(token: &str) -> Option<(Direction, EventId)> {
    let (direction, rest) = match token.split_at_checked(2)? {
        ("f/", rest) => (Direction::Forward, rest),
        ("b/", rest) => (Direction::Backward, rest),
        _ => return None,
    };
    Some((direction, EventId::parse(rest.strip_suffix("/s")?)?))
}
