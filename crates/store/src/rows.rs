//! How records are read from a connection, the writer's or a reader's.

use std::collections::HashSet;
use std::sync::Arc;

use pitbird_records::Record;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::Error;
use crate::blobs::is_name;

/// A record as it is stored. `rev` is above 0, grows with every change of any record and is never used twice, also not
/// after a delete or a restart; it has gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<R> {
    pub rev: u64,
    pub record: R,
}

pub fn get<R: Record>(connection: &Connection, key: &str) -> Result<Option<Versioned<R>>, Error> {
    let mut found = None;
    one(connection, R::TABLE, key, &mut |row| {
        found = Some(record(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// Shows the row of one record, if there is one.
fn one(
    connection: &Connection,
    table: &'static str,
    key: &str,
    see: &mut dyn FnMut(&Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut statement =
        connection.prepare_cached("SELECT key, rev, value FROM records WHERE tbl = ?1 AND key = ?2")?;
    let mut rows = statement.query(params![table, key])?;
    rows.next()?.map_or(Ok(()), see)
}

/// The revision of a record; `None` where there is none.
pub fn rev(connection: &Connection, table: &'static str, key: &str) -> Result<Option<u64>, Error> {
    let mut statement = connection.prepare_cached("SELECT rev FROM records WHERE tbl = ?1 AND key = ?2")?;
    let rev = statement.query_row(params![table, key], |row| row.get::<_, i64>(0)).optional()?;
    Ok(rev.map(|rev| rev as u64))
}

/// Up to `limit` records whose key starts with `prefix` and comes after `after`, in the order of their keys.
pub fn page<R: Record>(
    connection: &Connection,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Versioned<R>>, Error> {
    let mut found = Vec::new();
    walk(connection, R::TABLE, prefix, after, &mut |row| {
        if found.len() < limit {
            found.push(record(row)?);
        }
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

/// The keys that start with `prefix`, in order.
pub fn keys(connection: &Connection, table: &'static str, prefix: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    walk(connection, table, prefix, None, &mut |row| {
        found.push(row.get(0)?);
        Ok(true)
    })?;
    Ok(found)
}

/// The keys that start with `prefix` with their records' revisions, in the order of the keys. No record is read.
pub fn revs(connection: &Connection, table: &'static str, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
    let mut found = Vec::new();
    walk(connection, table, prefix, None, &mut |row| {
        found.push((row.get(0)?, row.get::<_, i64>(1)? as u64));
        Ok(true)
    })?;
    Ok(found)
}

/// Visits the rows below `prefix` until `visit` has had enough. Compiled once, not once for each sort of record.
fn walk(
    connection: &Connection,
    table: &'static str,
    prefix: &str,
    after: Option<&str>,
    visit: &mut dyn FnMut(&Row<'_>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let after = after.filter(|after| *after >= prefix);
    let mut statement = connection.prepare_cached(match after {
        Some(_) => "SELECT key, rev, value FROM records WHERE tbl = ?1 AND key > ?2 ORDER BY key",
        None => "SELECT key, rev, value FROM records WHERE tbl = ?1 AND key >= ?2 ORDER BY key",
    })?;
    let mut rows = statement.query(params![table, after.unwrap_or(prefix)])?;
    // Rows come in the order of their bytes, so the first one outside the prefix ends it.
    while let Some(row) = rows.next()? {
        let is_below = row.get_ref(0)?.as_str().is_ok_and(|key| key.starts_with(prefix));
        if !is_below || !visit(row)? {
            break;
        }
    }
    Ok(())
}

/// The blobs that any record names, whatever it is: each run of 64 hex digits in a record's text.
pub fn named_blobs(connection: &Connection) -> Result<HashSet<String>, Error> {
    let mut statement = connection.prepare("SELECT value FROM records")?;
    let mut rows = statement.query([])?;
    let mut named = HashSet::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let words = text.split(|character: char| !character.is_ascii_hexdigit());
        named.extend(words.filter(|word| is_name(word)).map(str::to_owned));
    }
    Ok(named)
}

fn record<R: Record>(row: &Row<'_>) -> Result<Versioned<R>, Error> {
    let (rev, text) = stored(row)?;
    match serde_json::from_str(text) {
        Ok(record) => Ok(Versioned { rev, record }),
        Err(source) => Err(unreadable(R::TABLE, row.get(0)?, source)),
    }
}

fn stored<'r>(row: &'r Row<'_>) -> Result<(u64, &'r str), Error> {
    let rev = row.get::<_, i64>(1)? as u64;
    Ok((rev, row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?))
}

pub fn unreadable(table: &'static str, key: String, source: serde_json::Error) -> Error {
    Error::Unreadable { table, key, source: Arc::new(source) }
}
