//! Temporary credentials: what a signature made with them is verified against, and whose they are.
//!
//! Kept like roles, once per account under the key of [`role::global`]. The access key id names the account, so a session is
//! found by its id alone.

use std::fmt;

use pitbird_names::Account;
use serde::{Deserialize, Serialize};

use crate::{Record, role};

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub account: Account,
    /// `ASIA` and 16 more of `[A-Z2-7]`.
    pub access_key_id: String,
    pub secret_access_key: String,
    pub token: String,
    /// The ARN of the user or role session that the credentials stand for.
    pub principal: String,
    /// What `GetCallerIdentity` calls the principal: the account's number, `AROA…:{session}`.
    pub user_id: String,
    pub source_identity: Option<String>,
    pub created_ms: i64,
    pub expires_ms: i64,
}

impl Session {
    /// The key of an account's session by its access key id.
    pub fn key_of(account: &Account, access_key_id: &str) -> String {
        crate::key(&role::global(account), &[access_key_id])
    }

    /// The prefix of the keys of an account's sessions.
    pub fn prefix_of(account: &Account) -> String {
        crate::prefix(&role::global(account), &[])
    }
}

/// Shows neither secret nor token: what is shown may end in a log.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("access_key_id", &self.access_key_id)
            .field("principal", &self.principal)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

impl Record for Session {
    const TABLE: &'static str = "session";
    fn key(&self) -> String {
        Session::key_of(&self.account, &self.access_key_id)
    }
}
