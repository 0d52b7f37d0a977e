//! Reserved concurrency: what functions may take of an account's invocations at once.

use pitbird_records::FunctionVersion;

use crate::Error;

/// Invocations at once in one account and region. Source: Lambda quotas.
pub const ACCOUNT_MAX: u32 = 1000;
/// What reservations must leave to functions without one. Source: Lambda developer guide, "Reserved concurrency".
const UNRESERVED_MIN: u32 = 100;

/// May a function reserve this much beside `others`, the `$LATEST` of all other functions?
pub fn check(others: impl Iterator<Item = FunctionVersion>, wanted: u32) -> Result<(), Error> {
    let reserved = others.filter_map(|other| other.function?.reserved_concurrency);
    let total = reserved.fold(wanted, u32::saturating_add);
    if total > ACCOUNT_MAX - UNRESERVED_MIN {
        Err(Error::UnreservedConcurrency(UNRESERVED_MIN))
    } else {
        Ok(())
    }
}
