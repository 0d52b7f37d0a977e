//! One event by its pointer: what GetLogRecord does.

use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pitbird_names::Scope;
use rusqlite::OptionalExtension;

use super::catalogue::CATALOGUE;
use super::page::Direction;
use super::walk::{Of, Range, walk};
use super::{EventId, Flow, LogEvent};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// Where an event lies; what Logs Insights calls `@ptr`. Written in 32 letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventPointer {
    pub(super) stream: i64,
    pub(super) id: EventId,
}

/// An event and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub group: String,
    pub stream: String,
    pub event: LogEvent,
}

impl EventPointer {
    /// Reads what [`fmt::Display`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<EventPointer> {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let number = |place: usize| bytes[place..place + 8].try_into().map(u64::from_be_bytes).ok();
        let id = EventId { at_ms: i64::try_from(number(8)?).ok()?, number: number(16)? };
        Some(EventPointer { stream: i64::try_from(number(0)?).ok()?, id })
    }
}

impl fmt::Display for EventPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.stream.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.id.at_ms.to_be_bytes());
        bytes[16..].copy_from_slice(&self.id.number.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// `None` when the event or its stream is gone, or is somebody else's.
pub(crate) fn record(
    dir: &Path,
    readers: &Readers,
    scope: &Scope,
    pointer: EventPointer,
) -> Result<Option<Record>> {
    let catalogue = dir.join(CATALOGUE);
    let names = readers.read(&catalogue, |c| {
        c.prepare_cached(
            "SELECT g.name, s.name FROM stream s JOIN log_group g ON g.id = s.log_group
             WHERE s.id = ? AND g.scope = ?",
        )
        .and_then(|mut statement| {
            statement
                .query_row(rusqlite::params![pointer.stream, scope.key()], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
        })
        .map_err(|e| Error::sqlite(&catalogue, &e))
    })?;
    let Some((group, stream)) = names.flatten() else { return Ok(None) };
    let at_ms = pointer.id.at_ms;
    let range = Range { of: Of::Stream(pointer.stream), start_ms: at_ms, end_ms: at_ms.saturating_add(1) };
    let mut event = None;
    walk(dir, readers, range, Direction::Forward, |_, load| {
        let block = load.read()?;
        let found = block.entries.iter().find(|entry| entry.id == pointer.id);
        let Some(entry) = found else { return Ok(Flow::Next) };
        let (ingested_ms, message) = (entry.ingested_ms, block.message(entry).to_owned());
        event = Some(LogEvent { at_ms, ingested_ms, id: entry.id, message });
        Ok(Flow::Stop)
    })?;
    Ok(event.map(|event| Record { group, stream, event }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pointer_comes_back(stream in 0..=i64::MAX, at_ms in 0..=i64::MAX, number: u64) {
            let pointer = EventPointer { stream, id: EventId { at_ms, number } };
            let text = pointer.to_string();
            prop_assert_eq!(text.len(), 32);
            prop_assert_eq!(EventPointer::parse(&text), Some(pointer));
        }

        #[test]
        fn other_text_is_no_panic(text in ".{0,40}") {
            let _ = EventPointer::parse(&text);
        }
    }
}
