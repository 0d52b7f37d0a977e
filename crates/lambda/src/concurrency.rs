//! Reserved concurrency: what functions may take of an account's invocations at once.

use std::collections::BTreeMap;

use pitbird_names::Scope;
use pitbird_records::{ProvisionedConcurrency, prefix};

use crate::find::{self, Records};
use crate::{Error, Target};

/// Invocations at once in one account and region. Source: Lambda quotas.
pub const ACCOUNT_MAX: u32 = 1000;
/// What reservations must leave to functions without one. Source: Lambda developer guide, "Reserved concurrency".
const UNRESERVED_MIN: u32 = 100;

/// May a function have this much for itself beside all others?
pub fn check(records: &impl Records, target: &Target, wanted: u32) -> Result<(), Error> {
    let mut own = owned(records, &target.scope)?;
    own.insert(target.name.clone(), wanted);
    if total(&own) > ACCOUNT_MAX - UNRESERVED_MIN {
        Err(Error::UnreservedConcurrency(UNRESERVED_MIN))
    } else {
        Ok(())
    }
}

/// What an account's functions have for themselves in one region, all together.
pub fn owned_total(records: &impl Records, scope: &Scope) -> Result<u32, Error> {
    Ok(total(&owned(records, scope)?))
}

/// By function: what it reserves; where it doesn't, what is kept ready for it.
fn owned(records: &impl Records, scope: &Scope) -> Result<BTreeMap<String, u32>, Error> {
    let mut own = BTreeMap::<String, u32>::new();
    let provisioned: Vec<ProvisionedConcurrency> = records.list(&prefix(scope, &[]))?;
    for record in provisioned {
        let all = own.entry(record.function).or_default();
        *all = all.saturating_add(record.requested);
    }
    for head in find::heads(records, scope)? {
        let reserved = head.function.and_then(|function| function.reserved_concurrency);
        reserved.map(|reserved| own.insert(head.name, reserved));
    }
    Ok(own)
}

fn total(own: &BTreeMap<String, u32>) -> u32 {
    own.values().fold(0, |total, own| total.saturating_add(*own))
}
