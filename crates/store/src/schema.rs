//! The database file: who it belongs to, its format and how a connection to it is set up.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Error, OpenError};

/// `PRAGMA application_id` of our files: "ptbd".
const APPLICATION_ID: i64 = 0x7074_6264;

/// Each entry takes a file from the format before to the next; `user_version` counts those applied.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE records (
        tbl TEXT NOT NULL,
        key TEXT NOT NULL,
        rev INTEGER NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (tbl, key)
    ) WITHOUT ROWID;
    CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO counters VALUES ('rev', 0);
"];

/// How long a connection waits for another program that inspects or changes the file, milliseconds.
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// The largest file that is checked page by page when it is opened, bytes. What is larger shows its damage when it is
/// read; checking it would cost more than the start may take.
const CHECKED_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Page size of new files, bytes; older ones keep theirs. A record that takes more than a quarter of a page gets a page of its own
/// beside it: with SQLite's 4096 that were most alarms and what happened to them, and each change wrote some 8 KiB more.
const PAGE_BYTES: u32 = 8192;

/// Page caches, KiB: the operating system's cache lies behind them.
const WRITER_CACHE_KIB: i64 = 1024;
const READER_CACHE_KIB: i64 = 256;

/// Pages that one commit may change before some of them go to the log ahead of it, perhaps to be read and written once more: 8 MiB,
/// which are let go after the commit.
const SPILL_PAGES: i64 = 2048;

/// The database file in a data directory.
pub fn path(directory: &Path) -> PathBuf {
    directory.join("pitbird.db")
}

/// Opens the writer's connection: makes a new file or takes an older one to the current format.
pub fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => damaged(path, error.to_string()),
        _ => OpenError::Database { path: path.to_owned(), source: error.into() },
    };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    set_up(&connection).map_err(failed)?;
    recognise(&connection, path, failed)?;
    check(&connection, path, failed)?;
    prepare_writer(&connection).map_err(failed)?;
    migrate(&mut connection).map_err(failed)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub fn open_reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// What every connection needs. Without the query planner's stability guarantee a statement that compares with a bound
/// value is planned anew each time the value changes, which takes twice as long as running it.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Is this file ours, or new, and not from the future?
fn recognise(
    connection: &Connection,
    path: &Path,
    failed: impl Fn(rusqlite::Error) -> OpenError,
) -> Result<(), OpenError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(&failed)?;
    let found = number("user_version").map_err(&failed)?;
    let count = "SELECT count(*) FROM sqlite_schema";
    let objects: i64 = connection.query_row(count, [], |row| row.get(0)).map_err(&failed)?;
    let is_new = application == 0 && found == 0 && objects == 0;
    // SQLite takes a file that ends within its first page for an empty database, and would write over what is left.
    let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if is_new && (1..first_page_bytes(path)).contains(&bytes) {
        return Err(damaged(path, format!("it has {bytes} bytes, not even one page")));
    }
    if application != APPLICATION_ID && !is_new {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(())
}

/// How long the file's first page is by its own header, bytes; [`PAGE_BYTES`] where it has none.
fn first_page_bytes(path: &Path) -> u64 {
    let mut header = [0; 18];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match (read, header) {
        (Ok(()), [.., high, low]) if header.starts_with(b"SQLite format 3\0") => {
            u64::from(u16::from_be_bytes([high, low]))
        }
        _ => u64::from(PAGE_BYTES),
    }
}

fn check(
    connection: &Connection,
    path: &Path,
    failed: impl Fn(rusqlite::Error) -> OpenError,
) -> Result<(), OpenError> {
    let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if bytes > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let verdict: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(&failed)?;
    if verdict == "ok" { Ok(()) } else { Err(damaged(path, verdict)) }
}

/// Durable means through to the medium: FULL syncs the log at each commit, `fullfsync` past the drive's cache on macOS.
fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "cache_spill", SPILL_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", 8 * 1024 * 1024)?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let applied: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (format, migration) in (1_i64..).zip(MIGRATIONS).skip(applied as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", format)?;
        transaction.commit()?;
    }
    Ok(())
}

fn damaged(path: &Path, detail: String) -> OpenError {
    OpenError::Damaged { path: path.to_owned(), detail }
}
