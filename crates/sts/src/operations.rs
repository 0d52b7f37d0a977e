//! One file per operation: its input, its output, one function.

mod assume_role;
mod get_access_key_info;
mod get_caller_identity;
mod get_session_token;

pub use assume_role::find as find_role;
use pitbird_records::Session;
use pitbird_service::{Builder, Caller};

use crate::{Error, State};

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("AssumeRole", &[], assume_role::run)
        .operation("GetAccessKeyInfo", &[], get_access_key_info::run)
        .operation("GetCallerIdentity", &[], get_caller_identity::run)
        .operation("GetSessionToken", &[], get_session_token::run)
}

/// The session that a caller calls in, if its credentials are temporary ones of ours.
fn own_session(state: &State, caller: &Caller) -> Result<Option<Session>, Error> {
    match &caller.access_key_id {
        Some(id) => Ok(crate::session(&state.store, id)?),
        None => Ok(None),
    }
}
