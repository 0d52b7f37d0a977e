//! The execution role: may Lambda act as it?

use pitbird_names::{Scope, arn};
use pitbird_records::role::Role;

use crate::Error;
use crate::find::Records;

/// As whom Lambda asks for a role.
const SERVICE: &str = "lambda.amazonaws.com";

/// A function's role must be the account's own, and trust Lambda.
pub fn check(records: &impl Records, scope: &Scope, role: &str) -> Result<(), Error> {
    let parts = arn::parse(role).ok_or(Error::Role)?;
    if parts.account != scope.account.as_str() {
        return Err(Error::CrossAccountRole);
    }
    let name = parts.resource.rsplit('/').next().unwrap_or_default();
    let found: Option<Role> = records.get(&Role::key_of(&scope.account, name))?;
    let trusts = found.is_some_and(|found| found.arn() == role && found.trusts_service(SERVICE));
    if trusts { Ok(()) } else { Err(Error::Role) }
}
