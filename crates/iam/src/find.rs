//! Finding what a call names, or saying in IAM's words that it isn't there.

use pitbird_names::Account;
use pitbird_records::Role;
pub use pitbird_store::Records;

use crate::Error;

/// A role by its name. Names that differ in case only are one name when roles are made, but not when they are found.
pub fn role(records: &impl Records, account: &Account, name: &str) -> Result<Role, Error> {
    let found = records.get::<Role>(&Role::key_of(account, name))?;
    found.filter(|role| role.name == name).ok_or_else(|| Error::UnknownRole(name.to_owned()))
}

pub fn roles(records: &impl Records, account: &Account) -> Result<Vec<Role>, Error> {
    Ok(records.list(&Role::prefix_of(account))?)
}
