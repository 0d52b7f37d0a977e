//! One file per operation: its input, its output, one function.

mod attach_role_policy;
mod create_policy;
mod create_policy_version;
mod create_role;
mod delete_policy;
mod delete_policy_version;
mod delete_role;
mod delete_role_permissions_boundary;
mod delete_role_policy;
mod detach_role_policy;
mod get_policy;
mod get_policy_version;
mod get_role;
mod get_role_policy;
mod get_user;
mod list_account_aliases;
mod list_attached_role_policies;
mod list_entities_for_policy;
mod list_instance_profiles_for_role;
mod list_policies;
mod list_policy_tags;
mod list_policy_versions;
mod list_role_policies;
mod list_role_tags;
mod list_roles;
mod put_role_permissions_boundary;
mod put_role_policy;
mod set_default_policy_version;
mod tag_policy;
mod tag_role;
mod untag_policy;
mod untag_role;
mod update_assume_role_policy;
mod update_role;
mod update_role_description;

use std::sync::Arc;

use pitbird_records::{ManagedPolicy, Role};
use pitbird_service::{Builder, Caller};
use pitbird_store::Transaction;

use crate::find::Records;
use crate::{Error, State, find, policy};

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("AttachRolePolicy", &[], attach_role_policy::run)
        .operation("CreatePolicy", &[], create_policy::run)
        .operation("CreatePolicyVersion", &[], create_policy_version::run)
        .operation("CreateRole", &[], create_role::run)
        .operation("DeletePolicy", &[], delete_policy::run)
        .operation("DeletePolicyVersion", &[], delete_policy_version::run)
        .operation("DeleteRole", &[], delete_role::run)
        .operation("DeleteRolePermissionsBoundary", &[], delete_role_permissions_boundary::run)
        .operation("DeleteRolePolicy", &[], delete_role_policy::run)
        .operation("DetachRolePolicy", &[], detach_role_policy::run)
        .operation("GetPolicy", &[], get_policy::run)
        .operation("GetPolicyVersion", &[], get_policy_version::run)
        .operation("GetRole", &[], get_role::run)
        .operation("GetRolePolicy", &[], get_role_policy::run)
        .operation("GetUser", &[], get_user::run)
        .operation("ListAccountAliases", list_account_aliases::HARMLESS, list_account_aliases::run)
        .operation("ListAttachedRolePolicies", &[], list_attached_role_policies::run)
        .operation("ListEntitiesForPolicy", &[], list_entities_for_policy::run)
        .operation(
            "ListInstanceProfilesForRole",
            list_instance_profiles_for_role::HARMLESS,
            list_instance_profiles_for_role::run,
        )
        .operation("ListPolicies", &[], list_policies::run)
        .operation("ListPolicyTags", &[], list_policy_tags::run)
        .operation("ListPolicyVersions", &[], list_policy_versions::run)
        .operation("ListRolePolicies", &[], list_role_policies::run)
        .operation("ListRoleTags", &[], list_role_tags::run)
        .operation("ListRoles", &[], list_roles::run)
        .operation("PutRolePermissionsBoundary", &[], put_role_permissions_boundary::run)
        .operation("PutRolePolicy", &[], put_role_policy::run)
        .operation("SetDefaultPolicyVersion", &[], set_default_policy_version::run)
        .operation("TagPolicy", &[], tag_policy::run)
        .operation("TagRole", &[], tag_role::run)
        .operation("UntagPolicy", &[], untag_policy::run)
        .operation("UntagRole", &[], untag_role::run)
        .operation("UpdateAssumeRolePolicy", &[], update_assume_role_policy::run)
        .operation("UpdateRole", &[], update_role::run)
        .operation("UpdateRoleDescription", &[], update_role_description::run)
}

/// Changes a role of the caller's account and answers it.
async fn change_role(
    state: &Arc<State>,
    caller: Caller,
    name: String,
    change: impl FnOnce(&mut Role, &Transaction<'_>) -> Result<(), Error> + Send + 'static,
) -> Result<Role, Error> {
    let write = move |tx: &mut Transaction<'_>| {
        let mut role = find::role(tx, &caller.scope.account, &name)?;
        change(&mut role, tx)?;
        tx.put(&role)?;
        Ok(role)
    };
    state.store.write(write).await
}

/// Changes a managed policy of the caller's own and answers it.
async fn change_policy(
    state: &Arc<State>,
    caller: Caller,
    action: &'static str,
    arn: String,
    change: impl FnOnce(&mut ManagedPolicy) -> Result<(), Error> + Send + 'static,
) -> Result<ManagedPolicy, Error> {
    let write = move |tx: &mut Transaction<'_>| {
        let mut policy = own_policy(tx, &caller, action, &arn)?;
        change(&mut policy)?;
        tx.put(&policy)?;
        Ok(policy)
    };
    state.store.write(write).await
}

/// A managed policy that the caller may change, which AWS's own are not.
fn own_policy(
    records: &impl Records,
    caller: &Caller,
    action: &'static str,
    text: &str,
) -> Result<ManagedPolicy, Error> {
    let policy = policy::get(records, &caller.scope.account, text)?;
    if policy.is_aws {
        let principal = caller.principal.clone();
        return Err(Error::NotYours { principal, action, arn: text.to_owned() });
    }
    Ok(policy.record)
}

/// Where a version of a policy is among its versions.
fn position(policy: &ManagedPolicy, arn: &str, version: &str) -> Result<usize, Error> {
    let number = policy::version_number(version);
    let found = policy.versions.iter().position(|known| Some(known.number) == number);
    found.ok_or_else(|| Error::UnknownVersion { arn: arn.to_owned(), version: version.to_owned() })
}
