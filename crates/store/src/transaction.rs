use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pitbird_records::Record;
use pitbird_snapshot::{Source, Touched};
use rusqlite::{Connection, params};

use crate::{Conflict, Error, RECORD_BYTES_MAX, Versioned, rows};

/// The revision of a record that isn't there, for [`Transaction::put_if`].
pub const ABSENT: u64 = 0;

/// What a change sees and does: everything committed, the changes before it in the same commit, and its own.
pub struct Transaction<'c> {
    connection: &'c Connection,
    rev: u64,
    touched: Touched,
    /// The tables that changes that were kept have written.
    tables: Vec<&'static str>,
    /// What the running change has written; noted when it is kept.
    written: Vec<(&'static str, String)>,
    /// A failure of the database while the running change was on. It undoes the change, whatever that makes of it.
    failure: RefCell<Option<Error>>,
    /// The latest failure that undid a change.
    lost_to: Option<Error>,
}

impl<'c> Transaction<'c> {
    pub(crate) fn new(connection: &'c Connection, rev: u64) -> Transaction<'c> {
        Transaction {
            connection,
            rev,
            touched: Touched::default(),
            tables: Vec::new(),
            written: Vec::new(),
            failure: RefCell::default(),
            lost_to: None,
        }
    }

    pub fn get<R: Record>(&self, key: &str) -> Result<Option<Versioned<R>>, Error> {
        self.watched(rows::get(self.connection, key))
    }

    /// All records whose key starts with `prefix`, in the order of their keys.
    pub fn list<R: Record>(&self, prefix: &str) -> Result<Vec<Versioned<R>>, Error> {
        self.watched(rows::page(self.connection, prefix, None, usize::MAX))
    }

    pub fn exists<R: Record>(&self, key: &str) -> Result<bool, Error> {
        Ok(self.watched(rows::rev(self.connection, R::TABLE, key))?.is_some())
    }

    /// How many keys start with `prefix`; reads none of the records.
    pub fn count<R: Record>(&self, prefix: &str) -> Result<usize, Error> {
        Ok(self.watched(rows::keys(self.connection, R::TABLE, prefix))?.len())
    }

    /// Writes a record, whatever was there before, and answers its new revision. A record has at most
    /// [`RECORD_BYTES_MAX`] bytes of JSON.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<u64, Error> {
        let key = record.key();
        let text = text(record, &key)?;
        self.write(R::TABLE, key, &text)
    }

    fn write(&mut self, table: &'static str, key: String, text: &str) -> Result<u64, Error> {
        self.rev += 1;
        let write = "INSERT INTO records (tbl, key, rev, value) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET rev = excluded.rev, value = excluded.value";
        self.execute(write, params![table, key, self.rev as i64, text])?;
        self.written.push((table, key));
        Ok(self.rev)
    }

    /// Writes a record if its revision is still `expected`, [`ABSENT`] meaning that there is none; otherwise
    /// [`Error::Conflict`].
    pub fn put_if<R: Record>(&mut self, record: &R, expected: u64) -> Result<u64, Error> {
        let key = record.key();
        let found = self.watched(rows::rev(self.connection, R::TABLE, &key))?.unwrap_or(ABSENT);
        if found != expected {
            return Err(Conflict { table: R::TABLE, key, expected, found }.into());
        }
        self.put(record)
    }

    /// Deletes a record and answers whether there was one.
    pub fn delete<R: Record>(&mut self, key: &str) -> Result<bool, Error> {
        self.remove(R::TABLE, key)
    }

    fn remove(&mut self, table: &'static str, key: &str) -> Result<bool, Error> {
        let deleted = self.execute("DELETE FROM records WHERE tbl = ?1 AND key = ?2", params![table, key])?;
        if deleted > 0 {
            self.written.push((table, key.to_owned()));
        }
        Ok(deleted > 0)
    }

    /// Deletes all records whose key starts with `prefix` and answers how many there were.
    pub fn delete_all<R: Record>(&mut self, prefix: &str) -> Result<usize, Error> {
        let keys = self.watched(rows::keys(self.connection, R::TABLE, prefix))?;
        for key in &keys {
            self.remove(R::TABLE, key)?;
        }
        Ok(keys.len())
    }

    /// Runs one change in a savepoint: kept when it says that it went well, undone when it says that it didn't, panics, or
    /// the database failed under it. An `Err` where the change's own answer no longer stands.
    pub(crate) fn run(&mut self, change: &mut dyn FnMut(&mut Transaction<'_>) -> bool) -> Result<(), Error> {
        self.failure.take();
        self.execute("SAVEPOINT change", [])?;
        let result = match catch_unwind(AssertUnwindSafe(|| change(self))) {
            Ok(true) => match self.failure.take() {
                Some(failure) => Err(self.lose(failure)),
                None => self.execute("RELEASE change", []).map(|_| true),
            },
            Ok(false) => Ok(false),
            Err(panic) => Err(Error::Panicked(words(panic.as_ref()))),
        };
        if let Some(failure) = self.failure.take() {
            self.lose(failure);
        }
        let written = std::mem::take(&mut self.written);
        match &result {
            Ok(true) => {
                for (table, key) in &written {
                    self.touched.note(table, key);
                    if !self.tables.contains(table) {
                        self.tables.push(table);
                    }
                }
            }
            Ok(false) | Err(_) => self.undo(),
        }
        result.map(|_| ())
    }

    fn lose(&mut self, failure: Error) -> Error {
        self.lost_to = Some(failure.clone());
        failure
    }

    /// Undoes the running change. Where that fails the whole transaction is given up: see [`Self::lost`].
    fn undo(&self) {
        let undone = self.execute("ROLLBACK TO change", []).and_then(|_| self.execute("RELEASE change", []));
        if undone.is_err() && !self.connection.is_autocommit() {
            // Should this fail too, the writer rolls back before it begins again.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Why the database has given up the whole transaction, as it may when the disk is full or fails; `None` while the
    /// transaction is on.
    pub(crate) fn lost(&self) -> Option<Error> {
        let failure = || self.lost_to.clone().or_else(|| self.failure.borrow().clone());
        self.connection.is_autocommit().then(|| failure().unwrap_or(Error::Aborted))
    }

    /// Each table that was written, once.
    pub(crate) fn tables(&self) -> &[&'static str] {
        &self.tables
    }

    pub(crate) fn touched(&self) -> &Touched {
        &self.touched
    }

    /// The last revision that was handed out.
    pub(crate) fn rev(&self) -> u64 {
        self.rev
    }

    /// For tests that make the database fail.
    #[cfg(test)]
    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    fn execute(&self, statement: &str, parameters: impl rusqlite::Params) -> Result<usize, Error> {
        let execute = || self.connection.prepare_cached(statement)?.execute(parameters);
        self.watched(execute().map_err(Error::from))
    }

    fn watched<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error @ (Error::DiskFull | Error::Database(_))) = &result {
            self.failure.borrow_mut().get_or_insert_with(|| error.clone());
        }
        result
    }
}

impl Source for Transaction<'_> {
    type Error = Error;

    fn get<R: Record>(&self, key: &str) -> Result<Option<(u64, R)>, Error> {
        Ok(Transaction::get(self, key)?.map(|found| (found.rev, found.record)))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<(u64, R)>, Error> {
        let found = Transaction::list(self, prefix)?;
        Ok(found.into_iter().map(|found| (found.rev, found.record)).collect())
    }
}

/// A record's JSON. It is read back before it may be stored: one record that can't be read would keep the snapshot
/// from being compiled, and the store from being opened, ever after. Types that can't fail say so.
fn text<R: Record>(record: &R, key: &str) -> Result<String, Error> {
    let unreadable = |source| rows::unreadable(R::TABLE, key.to_owned(), source);
    let text = serde_json::to_string(record).map_err(unreadable)?;
    if text.len() > RECORD_BYTES_MAX {
        return Err(Error::TooLarge { table: R::TABLE, key: key.to_owned(), bytes: text.len() });
    }
    if !R::IS_ALWAYS_READABLE {
        serde_json::from_str::<R>(&text).map_err(unreadable)?;
    }
    Ok(text)
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
