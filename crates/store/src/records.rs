use pitbird_records::Record;

use crate::{Error, Store, Transaction};

/// Where records are read, by who doesn't care for their revisions: from the store, or within a change, which sees itself.
pub trait Records {
    /// The record of a key, if there is one.
    ///
    /// # Errors
    /// When the table can't be read, or holds what is no such record.
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error>;

    /// All records whose key starts with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// As with [`Records::get`].
    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error>;
}

impl Records for Store {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error> {
        Ok(Store::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error> {
        Ok(Store::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}

impl Records for Transaction<'_> {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error> {
        Ok(Transaction::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error> {
        Ok(Transaction::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}
