//! STS: who is calling, and temporary credentials.
//!
//! [`service`] hangs the operations in, one file each under `operations`. Credentials are made by `credentials` and kept as
//! sessions; [`session`] finds them again by their access key id, for those who verify signatures. `trust` decides who may
//! assume a role; nothing else of a role's policies is enforced.

mod credentials;
mod error;
mod key_id;
mod operations;
mod trust;

use std::sync::Arc;

use pitbird_records::Session;
use pitbird_service::{Builder, Service};
use pitbird_store::Store;

use credentials::Grant;
pub use error::Error;

/// What the operations work with.
pub struct State {
    pub store: Store,
    /// A source of random bits that nobody can foretell: secrets are made from it.
    pub entropy: fn() -> u128,
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("sts", state)).build()
}

/// The temporary credentials with this access key id, also when they have expired: whoever verifies a signature tells an
/// expired token from an unknown one by [`Session::expires_ms`]. `None` for ids that were never given out, and for those that
/// expired so long ago that they are forgotten. Reads nothing for ids that can't be temporary ones.
pub fn session(store: &Store, access_key_id: &str) -> Result<Option<Session>, pitbird_store::Error> {
    let Some(account) = key_id::temporary_account(access_key_id) else { return Ok(None) };
    Ok(store.get::<Session>(&Session::key_of(&account, access_key_id))?.map(|found| found.record))
}

/// Credentials with which a service acts as a role that trusts it, for `duration_s` seconds; durable when this returns. `None`
/// when the role isn't there or doesn't trust the service any more. The session's name shows in its ARN:
/// `arn:aws:sts::{account}:assumed-role/{role}/{session_name}`.
pub async fn assume_for_service(
    state: &State,
    role_arn: &str,
    service: &str,
    session_name: &str,
    duration_s: u32,
    now_ms: i64,
) -> Result<Option<Session>, Error> {
    let (account, Some(role)) = operations::find_role(&state.store, role_arn)? else { return Ok(None) };
    if !role.trusts_service(service) {
        return Ok(None);
    }
    let principal = format!("arn:aws:sts::{account}:assumed-role/{}/{session_name}", role.name);
    let user_id = format!("{}:{session_name}", role.id);
    let grant = Grant { account, principal, user_id, source_identity: None, duration_s, now_ms };
    credentials::make(state, grant).await.map(Some)
}

#[cfg(test)]
mod tests;
