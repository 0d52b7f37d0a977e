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

#[cfg(test)]
mod tests;
