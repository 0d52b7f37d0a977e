//! The catalogue of streams: which exist, under which number their blocks are filed, and what is known of each.

use std::path::PathBuf;
use std::sync::Arc;

use pitbird_names::Scope;
use rusqlite::{Connection, OptionalExtension, params};

use crate::Durability;
use crate::day::Day;
use crate::error::{Error, Result};
use crate::sqlite::{Database, Schema};

/// The catalogue's file in the folder of logs.
pub(crate) const CATALOGUE: &str = "streams.db";

const SCHEMA: Schema = Schema {
    format: 1,
    sql: "CREATE TABLE log_group (
              id INTEGER PRIMARY KEY AUTOINCREMENT,
              scope TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL,
              UNIQUE (scope, name));
          CREATE TABLE stream (
              id INTEGER PRIMARY KEY AUTOINCREMENT,
              log_group INTEGER NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL,
              first_ms INTEGER, last_ms INTEGER, ingested_ms INTEGER,
              bytes INTEGER NOT NULL DEFAULT 0,
              UNIQUE (log_group, name));
          CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
          INSERT INTO counter VALUES ('next_event', 1);",
};

/// What of a stream's bytes belongs to which day. Files that were made before this was kept get it when they are opened: what they
/// had by then counts until its stream is deleted.
const BYTES_BY_DAY: &str = "CREATE TABLE IF NOT EXISTS stream_day (
    stream INTEGER NOT NULL, day INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (stream, day)) WITHOUT ROWID";

/// Account, region, group and stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct StreamName {
    pub scope: Scope,
    pub group: Arc<str>,
    pub stream: Arc<str>,
}

/// What the catalogue knows of a stream. Times in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamRow {
    pub id: i64,
    pub group: i64,
    pub first_ms: Option<i64>,
    pub last_ms: Option<i64>,
    pub ingested_ms: Option<i64>,
    pub bytes: i64,
}

pub(crate) struct Catalogue {
    pub file: Database,
    next_event: u64,
    /// The counter on disk.
    written_event: u64,
}

impl Catalogue {
    pub fn open(path: PathBuf, durability: Durability) -> Result<Catalogue> {
        let file = Database::open(path, &SCHEMA, durability)?;
        file.run(|c| c.execute_batch(BYTES_BY_DAY))?;
        let mut catalogue = Catalogue { file, next_event: 1, written_event: 1 };
        catalogue.read_counter()?;
        Ok(catalogue)
    }

    fn read_counter(&mut self) -> Result<()> {
        let next: i64 = self.file.run(|c| {
            c.query_row("SELECT value FROM counter WHERE name = 'next_event'", [], |row| row.get(0))
        })?;
        self.next_event = next as u64;
        self.written_event = self.next_event;
        Ok(())
    }

    /// The next event's number. Numbers of a batch that is undone are given out again.
    pub fn number(&mut self) -> u64 {
        let number = self.next_event;
        self.next_event += 1;
        number
    }

    /// Writes the counter and commits. Comes before the blocks' commit, so that no number is ever used twice.
    pub fn commit(&mut self) -> Result<()> {
        if self.next_event != self.written_event {
            self.file.begin()?;
            let next = self.next_event as i64;
            self.file.run(|c| {
                c.prepare_cached("UPDATE counter SET value = ? WHERE name = 'next_event'")?.execute([next])
            })?;
        }
        self.file.commit()?;
        self.written_event = self.next_event;
        Ok(())
    }

    pub fn roll_back(&mut self) {
        self.file.roll_back();
        if let Err(error) = self.read_counter() {
            // The number in memory is ahead of the one on disk, which is safe.
            tracing::warn!(%error, "the event counter can't be read");
        }
    }

    pub fn find(&self, name: &StreamName) -> Result<Option<StreamRow>> {
        self.file.run(|c| {
            c.prepare_cached(
                "SELECT s.id, s.log_group, s.first_ms, s.last_ms, s.ingested_ms, s.bytes
                 FROM stream s JOIN log_group g ON g.id = s.log_group
                 WHERE g.scope = ? AND g.name = ? AND s.name = ?",
            )?
            .query_row(params![name.scope.key(), &*name.group, &*name.stream], |row| {
                Ok(StreamRow {
                    id: row.get(0)?,
                    group: row.get(1)?,
                    first_ms: row.get(2)?,
                    last_ms: row.get(3)?,
                    ingested_ms: row.get(4)?,
                    bytes: row.get(5)?,
                })
            })
            .optional()
        })
    }

    /// Makes a stream, and its group if that is the first.
    pub fn insert(&mut self, name: &StreamName, now_ms: i64) -> Result<StreamRow> {
        self.file.begin()?;
        let (id, group) = self.file.run(|c| {
            let group = match group(c, &name.scope, &name.group)? {
                Some(group) => group,
                None => c
                    .prepare_cached("INSERT INTO log_group (scope, name, created_ms) VALUES (?, ?, ?)")?
                    .insert(params![name.scope.key(), &*name.group, now_ms])?,
            };
            let id = c
                .prepare_cached("INSERT INTO stream (log_group, name, created_ms) VALUES (?, ?, ?)")?
                .insert(params![group, &*name.stream, now_ms])?;
            Ok((id, group))
        })?;
        Ok(StreamRow { id, group, first_ms: None, last_ms: None, ingested_ms: None, bytes: 0 })
    }

    pub fn update(&mut self, row: &StreamRow) -> Result<()> {
        self.file.begin()?;
        self.file.run(|c| {
            c.prepare_cached(
                "UPDATE stream SET first_ms = ?, last_ms = ?, ingested_ms = ?, bytes = ? WHERE id = ?",
            )?
            .execute(params![row.first_ms, row.last_ms, row.ingested_ms, row.bytes, row.id])?;
            Ok(())
        })
    }

    /// Adds to what a stream holds of a day.
    pub fn add_day(&mut self, stream: i64, day: Day, bytes: i64) -> Result<()> {
        self.file.begin()?;
        self.file.run(|c| {
            c.prepare_cached(
                "INSERT INTO stream_day (stream, day, bytes) VALUES (?, ?, ?)
                 ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
            )?
            .execute(params![stream, day.0, bytes])
            .map(drop)
        })
    }

    /// The streams of a group hold nothing any more of days before `oldest`.
    pub fn expire(&mut self, group: i64, oldest: Day) -> Result<()> {
        self.file.begin()?;
        self.file.run(|c| {
            c.prepare_cached(
                "UPDATE stream SET bytes = max(0, bytes - expired.sum)
                 FROM (SELECT d.stream, sum(d.bytes) AS sum FROM stream s JOIN stream_day d ON d.stream = s.id
                       WHERE s.log_group = ?1 AND d.day < ?2 GROUP BY d.stream) AS expired
                 WHERE stream.id = expired.stream",
            )?
            .execute(params![group, oldest.0])?;
            c.prepare_cached(
                "DELETE FROM stream_day
                 WHERE stream IN (SELECT id FROM stream WHERE log_group = ?1) AND day < ?2",
            )?
            .execute(params![group, oldest.0])
            .map(drop)
        })
    }

    /// Removes a stream; its blocks are then nobody's.
    pub fn remove(&mut self, id: i64) -> Result<()> {
        self.file.begin()?;
        self.file.run(|c| {
            c.execute("DELETE FROM stream_day WHERE stream = ?", [id])?;
            c.execute("DELETE FROM stream WHERE id = ?", [id]).map(drop)
        })
    }

    /// Removes a group with its streams; says whether there was one.
    pub fn remove_group(&mut self, scope: &Scope, name: &str) -> Result<bool> {
        self.file.begin()?;
        self.file.run(|c| {
            let Some(id) = group(c, scope, name)? else { return Ok(false) };
            let streams = "(SELECT id FROM stream WHERE log_group = ?)";
            c.execute(&format!("DELETE FROM stream_day WHERE stream IN {streams}"), [id])?;
            c.execute("DELETE FROM stream WHERE log_group = ?", [id])?;
            c.execute("DELETE FROM log_group WHERE id = ?", [id])?;
            Ok(true)
        })
    }

    /// What each group holds: scope's key, group and bytes.
    pub fn stored(&self) -> Result<Vec<(String, String, u64)>> {
        self.file.run(|c| {
            c.prepare_cached(
                "SELECT g.scope, g.name, sum(s.bytes) FROM log_group g JOIN stream s ON s.log_group = g.id
                 GROUP BY g.id",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.max(0) as u64)))?
            .collect()
        })
    }

    /// Is the number that of a stream?
    pub fn has(&self, id: i64) -> Result<bool> {
        self.file.run(|c| {
            c.prepare_cached("SELECT EXISTS (SELECT 1 FROM stream WHERE id = ?)")?
                .query_row([id], |row| row.get(0))
        })
    }
}

/// The number of a group.
pub(crate) fn group(c: &Connection, scope: &Scope, name: &str) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached("SELECT id FROM log_group WHERE scope = ? AND name = ?")?
        .query_row(params![scope.key(), name], |row| row.get(0))
        .optional()
}

/// The same for readers, who find the whole answer in one place.
pub(crate) fn group_of(
    path: &std::path::Path,
    c: &Connection,
    scope: &Scope,
    name: &str,
) -> Result<Option<i64>> {
    group(c, scope, name).map_err(|e| Error::sqlite(path, &e))
}
