use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pitbird_names::Scope;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::StreamChoice;
use super::catalogue::{CATALOGUE, group_of};
use crate::error::{Error, Result};
use crate::sqlite::Readers;

/// A group's streams, a page at a time: what DescribeLogStreams does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamQuery {
    pub scope: Scope,
    pub group: String,
    pub prefix: Option<String>,
    pub order: StreamOrder,
    pub descending: bool,
    pub limit: usize,
    pub token: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamOrder {
    #[default]
    Name,
    /// Streams without events come before all others.
    LastEvent,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamPage {
    pub streams: Vec<StreamSummary>,
    pub token: Option<String>,
}

/// What is known of a stream. Times in milliseconds since 1970; without events there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSummary {
    pub name: String,
    pub created_ms: i64,
    pub first_event_ms: Option<i64>,
    pub last_event_ms: Option<i64>,
    pub last_ingestion_ms: Option<i64>,
    /// Text of all events ever filed, and 26 bytes for each.
    pub stored_bytes: u64,
}

/// A group that streams have been made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSummary {
    pub name: String,
    /// When its first stream was made, milliseconds since 1970.
    pub created_ms: i64,
    /// Of all its streams.
    pub stored_bytes: u64,
}

pub(crate) fn streams(dir: &Path, readers: &Readers, query: &StreamQuery) -> Result<StreamPage> {
    let cursor: Option<(i64, String)> = match &query.token {
        Some(token) => Some(cursor(token).ok_or(Error::InvalidToken)?),
        None => None,
    };
    let path = dir.join(CATALOGUE);
    let page = readers.read(&path, |c| {
        let Some(group) = group_of(&path, c, &query.scope, &query.group)? else {
            return Ok(StreamPage::default());
        };
        page(c, group, query, cursor).map_err(|e| Error::sqlite(&path, &e))
    })?;
    Ok(page.unwrap_or_default())
}

fn page(
    c: &Connection,
    group: i64,
    query: &StreamQuery,
    cursor: Option<(i64, String)>,
) -> rusqlite::Result<StreamPage> {
    let key = match query.order {
        StreamOrder::Name => "0",
        StreamOrder::LastEvent => "coalesce(last_ms, -1)",
    };
    let (beyond, order) = if query.descending { ("<", "DESC") } else { (">", "ASC") };
    let sql = format!(
        "SELECT name, created_ms, first_ms, last_ms, ingested_ms, bytes, {key} AS sort_key FROM stream
         WHERE log_group = ?1 AND (?2 IS NULL OR ({key}, name) {beyond} (?2, ?3))
               AND (?4 IS NULL OR substr(name, 1, length(?4)) = ?4)
         ORDER BY sort_key {order}, name {order} LIMIT ?5"
    );
    let (after_key, after_name) = cursor.unzip();
    let limit = query.limit.clamp(1, 10_000);
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query(params![group, after_key, after_name, query.prefix, limit as i64 + 1])?;
    let mut page = StreamPage::default();
    let mut last_key = 0;
    while let Some(row) = rows.next()? {
        if page.streams.len() == limit {
            page.token = page.streams.last().map(|last| token(last_key, &last.name));
            break;
        }
        last_key = row.get(6)?;
        page.streams.push(summary(row)?);
    }
    Ok(page)
}

fn summary(row: &Row<'_>) -> rusqlite::Result<StreamSummary> {
    Ok(StreamSummary {
        name: row.get(0)?,
        created_ms: row.get(1)?,
        first_event_ms: row.get(2)?,
        last_event_ms: row.get(3)?,
        last_ingestion_ms: row.get(4)?,
        stored_bytes: row.get::<_, i64>(5)?.max(0) as u64,
    })
}

fn token(key: i64, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!([key, name]).to_string())
}

fn cursor(token: &str) -> Option<(i64, String)> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

/// The groups of a scope that streams have been made in, by name.
pub(crate) fn groups(dir: &Path, readers: &Readers, scope: &Scope) -> Result<Vec<GroupSummary>> {
    let path = dir.join(CATALOGUE);
    let groups = |c: &Connection| {
        c.prepare_cached(
            "SELECT g.name, g.created_ms, coalesce(sum(s.bytes), 0)
             FROM log_group g LEFT JOIN stream s ON s.log_group = g.id
             WHERE g.scope = ? GROUP BY g.id ORDER BY g.name",
        )?
        .query_map([scope.key()], |row| {
            let stored_bytes = row.get::<_, i64>(2)?.max(0) as u64;
            Ok(GroupSummary { name: row.get(0)?, created_ms: row.get(1)?, stored_bytes })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()
    };
    Ok(readers.read(&path, |c| groups(c).map_err(|e| Error::sqlite(&path, &e)))?.unwrap_or_default())
}

pub(super) fn stream_id(
    path: &Path,
    c: &Connection,
    scope: &Scope,
    group: &str,
    stream: &str,
) -> Result<Option<i64>> {
    let Some(group) = group_of(path, c, scope, group)? else { return Ok(None) };
    id_in(c, group, stream).map_err(|e| Error::sqlite(path, &e))
}

fn id_in(c: &Connection, group: i64, stream: &str) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached("SELECT id FROM stream WHERE log_group = ? AND name = ?")?
        .query_row(params![group, stream], |row| row.get(0))
        .optional()
}

/// The numbers of the chosen streams; `None` for all.
pub(super) fn stream_ids(
    path: &Path,
    c: &Connection,
    group: i64,
    choice: &StreamChoice,
) -> Result<Option<HashSet<i64>>> {
    let ids = match choice {
        StreamChoice::All => return Ok(None),
        StreamChoice::Named(names) => {
            names.iter().filter_map(|name| id_in(c, group, name).transpose()).collect::<rusqlite::Result<_>>()
        }
        StreamChoice::Prefix(prefix) => ids_by_prefix(c, group, prefix),
    };
    ids.map(Some).map_err(|e| Error::sqlite(path, &e))
}

fn ids_by_prefix(c: &Connection, group: i64, prefix: &str) -> rusqlite::Result<HashSet<i64>> {
    c.prepare_cached("SELECT id FROM stream WHERE log_group = ?1 AND substr(name, 1, length(?2)) = ?2")?
        .query_map(params![group, prefix], |row| row.get(0))?
        .collect()
}

fn stream_name(path: &Path, c: &Connection, stream: i64) -> Result<Option<Arc<str>>> {
    c.prepare_cached("SELECT name FROM stream WHERE id = ?")
        .and_then(|mut statement| statement.query_row([stream], |row| row.get::<_, String>(0)).optional())
        .map(|name| name.map(Arc::from))
        .map_err(|e| Error::sqlite(path, &e))
}

/// Names of streams by number, looked up once each. A stream that has been deleted has none.
pub(super) struct Names<'a> {
    catalogue: &'a Path,
    readers: &'a Readers,
    known: HashMap<i64, Option<Arc<str>>>,
}

impl<'a> Names<'a> {
    pub fn new(catalogue: &'a Path, readers: &'a Readers) -> Names<'a> {
        Names { catalogue, readers, known: HashMap::new() }
    }

    pub fn of(&mut self, stream: i64) -> Result<Option<Arc<str>>> {
        if let Some(name) = self.known.get(&stream) {
            return Ok(name.clone());
        }
        let name = self.readers.read(self.catalogue, |c| stream_name(self.catalogue, c, stream))?.flatten();
        self.known.insert(stream, name.clone());
        Ok(name)
    }
}
