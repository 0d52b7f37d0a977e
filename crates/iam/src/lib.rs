//! IAM: the roles and policies that functions and tools need.
//!
//! [`service`] hangs the operations in, one file each under `operations`. `document` holds policy documents against the
//! grammar and turns trust policies into data, `policy` finds managed policies, the account's own and AWS's, `find` roles.
//! IAM is global: whatever region a call is scoped to, an account has one set of roles and policies.
//!
//! Policies are kept and shown, and enforced for those who ask [`role_session_permission`]: for calls that functions make. Everybody
//! else may do everything in his account. There are no users, groups or instance profiles to be made; the account's root is its one user.

mod authorization;
mod aws_managed;
mod document;
mod error;
mod find;
mod id;
mod operations;
mod page;
mod policy;
mod shape;
mod tags;

use std::sync::Arc;

use pitbird_service::{Builder, Service};
use pitbird_store::Store;

pub use authorization::{Asked, role_session_permission};
pub use error::Error;

/// What the operations work with.
pub struct State {
    pub store: Store,
    /// A source of random bits, for identifiers.
    pub entropy: fn() -> u128,
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("iam", state)).build()
}

#[cfg(test)]
mod tests;
