//! Finding what a call names, or saying in IAM's words that it isn't there.

use pitbird_names::Account;
use pitbird_records::{Record, Role};
use pitbird_store::{Store, Transaction};

use crate::Error;

/// Where records are read: from the store, or within a change.
pub trait Records {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error>;

    /// All records whose key starts with `prefix`, in the order of their keys.
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

/// A role by its name. Names that differ in case only are one name when roles are made, but not when they are found.
pub fn role(records: &impl Records, account: &Account, name: &str) -> Result<Role, Error> {
    let found = records.get::<Role>(&Role::key_of(account, name))?;
    found.filter(|role| role.name == name).ok_or_else(|| Error::UnknownRole(name.to_owned()))
}

pub fn roles(records: &impl Records, account: &Account) -> Result<Vec<Role>, Error> {
    records.list(&Role::prefix_of(account))
}
