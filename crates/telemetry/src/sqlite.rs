//! SQLite files: how they are opened, kept open, and read beside their writer.
//!
//! One process owns the folder (its lock file says so), one thread writes, any thread reads. Write-ahead logging lets
//! readers go on while the writer commits. Page caches are small: telemetry is written in order and read in ranges.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::Durability;
use crate::day::Day;
use crate::error::{Error, Result};

/// Page cache of one connection, KiB.
const CACHE_KIB: i64 = 512;
/// Write-ahead log kept after a checkpoint, bytes.
const WAL_BYTES: i64 = 4 << 20;
/// How long a connection waits for another's lock, milliseconds.
const BUSY_MS: u32 = 5_000;
/// Connections kept for readers, over all files.
const IDLE_READERS: usize = 6;
/// Day files that the writer keeps open.
const OPEN_DAYS: usize = 3;

/// The tables of a kind of file, and the number that says which tables these are.
pub(crate) struct Schema {
    pub format: i64,
    pub sql: &'static str,
}

/// A file open for writing, with at most one transaction.
pub(crate) struct Database {
    pub path: PathBuf,
    pub connection: Connection,
    writing: bool,
}

impl Database {
    /// Opens or makes the file. A file of a newer format is refused, and so is one that isn't SQLite.
    pub fn open(path: PathBuf, schema: &Schema, durability: Durability) -> Result<Database> {
        let connection = prepare(&path, schema, durability).map_err(|e| Error::sqlite(&path, &e))?;
        let found: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|e| Error::sqlite(&path, &e))?;
        if found > schema.format {
            return Err(Error::Format { path, found, known: schema.format });
        }
        Ok(Database { path, connection, writing: false })
    }

    /// Begins a transaction unless one is open.
    pub fn begin(&mut self) -> Result<()> {
        if !self.writing {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|e| Error::sqlite(&self.path, &e))?;
            self.writing = true;
        }
        Ok(())
    }

    pub fn commit(&mut self) -> Result<()> {
        if self.writing {
            self.connection.execute_batch("COMMIT").map_err(|e| Error::sqlite(&self.path, &e))?;
            self.writing = false;
        }
        Ok(())
    }

    pub fn roll_back(&mut self) {
        if self.writing {
            // Fails only when SQLite has rolled back by itself.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.writing = false;
        }
    }

    /// Gives free pages back to the file system. Outside transactions only.
    pub fn give_back(&self) -> Result<()> {
        self.run(|c| {
            // A page goes with every step.
            let mut vacuum = c.prepare("PRAGMA incremental_vacuum")?;
            let mut steps = vacuum.query([])?;
            while steps.next()?.is_some() {}
            drop(steps);
            c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }

    /// Runs `work` on the connection and names this file in its error.
    pub fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&self.connection).map_err(|e| Error::sqlite(&self.path, &e))
    }
}

fn prepare(path: &Path, schema: &Schema, durability: Durability) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    set_up(&connection)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Process => "NORMAL",
        Durability::Machine => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == 0 {
        let format = schema.format;
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {} PRAGMA user_version = {format}; COMMIT;",
            schema.sql
        ))?;
    }
    Ok(connection)
}

/// What every connection needs. Without the query planner's stability guarantee a statement that compares with a bound value is
/// planned anew each time the value changes: of alarms' reads, that was most of what they cost.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS.into()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The day files of one folder that are open for writing, few at a time.
pub(crate) struct DayFiles {
    dir: PathBuf,
    schema: &'static Schema,
    durability: Durability,
    open: HashMap<Day, Database>,
}

impl DayFiles {
    pub fn new(dir: PathBuf, schema: &'static Schema, durability: Durability) -> DayFiles {
        DayFiles { dir, schema, durability, open: HashMap::new() }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn days(&self) -> Result<Vec<Day>> {
        Day::list(&self.dir)
    }

    /// The day's file, in a transaction; made if there is none.
    pub fn write(&mut self, day: Day) -> Result<&Database> {
        let database = self.get(day)?;
        database.begin()?;
        Ok(database)
    }

    /// The day's file, perhaps outside a transaction; made if there is none.
    pub fn get(&mut self, day: Day) -> Result<&mut Database> {
        use std::collections::hash_map::Entry;
        match self.open.entry(day) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                Ok(entry.insert(Database::open(day.path(&self.dir), self.schema, self.durability)?))
            }
        }
    }

    /// Commits every open transaction, then closes all but the newest files.
    pub fn commit(&mut self) -> Result<()> {
        for database in self.open.values_mut() {
            database.commit()?;
        }
        while self.open.len() > OPEN_DAYS {
            let oldest = self.open.keys().min().copied();
            oldest.and_then(|day| self.open.remove(&day));
        }
        Ok(())
    }

    pub fn roll_back(&mut self) {
        self.open.values_mut().for_each(Database::roll_back);
    }

    /// Closes the day's file and deletes it. Nobody may be reading it.
    pub fn delete(&mut self, day: Day) -> Result<()> {
        self.open.remove(&day);
        delete(&day.path(&self.dir))
    }
}

/// Deletes a closed database and what SQLite keeps beside it.
pub(crate) fn delete(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(path, &e)),
            _ => {}
        }
    }
    Ok(())
}

/// Connections for readers, kept for reuse. A file that doesn't exist holds nothing.
#[derive(Default)]
pub(crate) struct Readers {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    idle: Vec<(PathBuf, Connection)>,
    /// How many read each file now.
    using: HashMap<PathBuf, usize>,
}

impl Readers {
    /// Runs `work` on a reading connection to `path`; `None` when there is no such file.
    pub fn read<T>(&self, path: &Path, work: impl FnOnce(&Connection) -> Result<T>) -> Result<Option<T>> {
        let (_using, idle) = self.take(path);
        let connection = match idle {
            Some(connection) => connection,
            None if !path.exists() => return Ok(None),
            None => open_reader(path).map_err(|e| Error::sqlite(path, &e))?,
        };
        let value = work(&connection)?;
        let mut kept = self.lock();
        if kept.idle.len() >= IDLE_READERS {
            kept.idle.remove(0);
        }
        kept.idle.push((path.to_path_buf(), connection));
        Ok(Some(value))
    }

    /// Deletes a file by `delete` unless somebody reads it; says whether. SQLite opens what lies beside a file by name
    /// and late, so that a file mustn't go between.
    pub fn delete_unused(&self, path: &Path, delete: impl FnOnce() -> Result<()>) -> Result<bool> {
        let mut kept = self.lock();
        if kept.using.contains_key(path) {
            return Ok(false);
        }
        kept.idle.retain(|(idle, _)| idle != path);
        // Still locked, so that nobody opens it meanwhile.
        delete().map(|()| true)
    }

    fn take(&self, path: &Path) -> (Using<'_>, Option<Connection>) {
        let mut kept = self.lock();
        *kept.using.entry(path.to_path_buf()).or_default() += 1;
        let place = kept.idle.iter().position(|(idle, _)| idle == path);
        let idle = place.map(|place| kept.idle.swap_remove(place).1);
        (Using { readers: self, path: path.to_path_buf() }, idle)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody reads the file as long as this lives.
struct Using<'a> {
    readers: &'a Readers,
    path: PathBuf,
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        let mut kept = self.readers.lock();
        if let Some(count) = kept.using.get_mut(&self.path) {
            *count -= 1;
            if *count == 0 {
                kept.using.remove(&self.path);
            }
        }
    }
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    // Readers of a write-ahead log take part in its shared index, so the file is opened for writing and then barred.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}
