//! Finding rollouts.

use pitbird_names::Scope;
use pitbird_records::key;
use pitbird_store::Store;

use crate::{Error, Rollout};

pub fn rollout(store: &Store, scope: &Scope, name: &str) -> Result<Rollout, Error> {
    let found = store.get::<Rollout>(&key(scope, &[name]))?;
    Ok(found.ok_or_else(|| Error::UnknownRollout(name.to_owned()))?.record)
}
