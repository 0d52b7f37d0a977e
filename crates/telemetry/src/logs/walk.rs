//! Walking over blocks by time, on one thread.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::Flow;
use super::block::{Block, HOUR_MS};
use super::page::Direction;
use crate::day::Day;
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// Whose blocks are walked over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Group(i64),
    Stream(i64),
}

/// A stretch of time in somebody's blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub of: Of,
    pub start_ms: i64,
    /// Exclusive.
    pub end_ms: i64,
}

/// What is known of a block before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub stream: i64,
    pub min_ms: i64,
    pub max_ms: i64,
    id: i64,
}

/// Reads a block that was found.
pub(super) struct Load<'a> {
    connection: &'a Connection,
    path: &'a Path,
    id: i64,
}

impl Load<'_> {
    pub fn read(&self) -> Result<Block> {
        Block::decode(&self.bytes()?).ok_or_else(|| self.corrupt())
    }

    /// The block as it lies on disk.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        self.connection
            .prepare_cached("SELECT events FROM block WHERE id = ?")
            .and_then(|mut statement| statement.query_row([self.id], |row| row.get(0)))
            .map_err(|e| Error::sqlite(self.path, &e))
    }

    pub fn path(&self) -> &Path {
        self.path
    }

    fn corrupt(&self) -> Error {
        Error::corrupt(self.path, "a block can't be read")
    }
}

/// Visits the blocks that have an event in the range or may have one: forward by their first event, backward by
/// their first event falling (a later block may then reach further back than an earlier one, but not out of its hour).
pub(super) fn walk(
    dir: &Path,
    readers: &Readers,
    range: Range,
    direction: Direction,
    mut visit: impl FnMut(Found, Load<'_>) -> Result<Flow>,
) -> Result<()> {
    if range.start_ms >= range.end_ms {
        return Ok(());
    }
    let (first, last) = (Day::of(range.start_ms), Day::of(range.end_ms - 1));
    let mut days: Vec<Day> = Day::list(dir)?.into_iter().filter(|day| (first..=last).contains(day)).collect();
    if direction == Direction::Backward {
        days.reverse();
    }
    for day in days {
        let path = day.path(dir);
        let flow = readers.read(&path, |c| walk_day(c, &path, range, direction, &mut visit))?;
        if flow == Some(Flow::Stop) {
            break;
        }
    }
    Ok(())
}

fn walk_day(
    c: &Connection,
    path: &Path,
    range: Range,
    direction: Direction,
    visit: &mut impl FnMut(Found, Load<'_>) -> Result<Flow>,
) -> Result<Flow> {
    let storage = |e: rusqlite::Error| Error::sqlite(path, &e);
    // One picture of the file for all that follows: blocks may be joined meanwhile.
    let picture = c.unchecked_transaction().map_err(storage)?;
    let (whose, of) = match range.of {
        Of::Group(group) => ("log_group", group),
        Of::Stream(stream) => ("stream", stream),
    };
    let order = match direction {
        Direction::Forward => "ASC",
        Direction::Backward => "DESC",
    };
    let sql = format!(
        "SELECT id, stream, min_ms, max_ms FROM block
         WHERE {whose} = ? AND min_ms >= ? AND min_ms < ? ORDER BY min_ms {order}"
    );
    let mut statement = c.prepare_cached(&sql).map_err(storage)?;
    // A block that begins before the range ends in the hour in which it begins.
    let hour = range.start_ms.div_euclid(HOUR_MS) * HOUR_MS;
    let mut rows = statement.query([of, hour, range.end_ms]).map_err(storage)?;
    let mut flow = Flow::Next;
    while let Some(row) = rows.next().map_err(storage)? {
        let found = found(row).map_err(storage)?;
        if found.max_ms < range.start_ms {
            continue;
        }
        flow = visit(found, Load { connection: c, path, id: found.id })?;
        if flow == Flow::Stop {
            break;
        }
    }
    drop(rows);
    drop(statement);
    picture.finish().map_err(storage)?;
    Ok(flow)
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found { id: row.get(0)?, stream: row.get(1)?, min_ms: row.get(2)?, max_ms: row.get(3)? })
}
