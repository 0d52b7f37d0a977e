//! The group's role: is it there, and may CodeDeploy act as it?

use pitbird_names::{Scope, arn};
use pitbird_records::Role;

use crate::Error;
use crate::find::Records;

/// As whom CodeDeploy asks for a role.
const SERVICE: &str = "codedeploy.amazonaws.com";

/// A group's role must be the account's own, and trust CodeDeploy.
pub fn check(records: &impl Records, scope: &Scope, role: &str) -> Result<(), Error> {
    if role.is_empty() {
        return Err(Error::invalid("RoleRequiredException", "The role ID was not specified."));
    }
    if stands(records, scope, role)? { Ok(()) } else { Err(Error::Role) }
}

pub fn stands(records: &impl Records, scope: &Scope, role: &str) -> Result<bool, pitbird_store::Error> {
    let Some(parts) = arn::parse(role) else { return Ok(false) };
    if parts.service != "iam" || parts.account != scope.account.as_str() {
        return Ok(false);
    }
    let name = parts.resource.rsplit('/').next().unwrap_or_default();
    let found: Option<Role> = records.get(&Role::key_of(&scope.account, name))?;
    Ok(found.is_some_and(|found| found.arn() == role && found.trusts_service(SERVICE)))
}
