//! Temporary credentials: what a signature made with them is verified against, and whose they are.
//!
//! Kept like roles, once per account under the key of [`role::global`]. The access key id names the account, so a session is
//! found by its id alone.

use std::fmt;

use pitbird_names::{Account, arn};
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

/// What `GetCallerIdentity` and `GetUser` call a principal that has no session: its account's number for the root, and for a
/// user `AIDA` and 17 of `[A-Z2-7]` made from its ARN, so that they stay the same.
pub fn user_id(principal: &str) -> String {
    let parsed = arn::parse(principal);
    if let Some(root) = parsed.filter(|arn| arn.resource == "root") {
        return root.account.to_owned();
    }
    // FNV-1a.
    let mut bits = principal.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    let mut id = String::from("AIDA");
    for _ in 0..17 {
        id.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(bits & 31) as usize]));
        bits >>= 5;
    }
    id
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_same_id_each_time_and_the_root_its_account() {
        assert_eq!(user_id("arn:aws:iam::123456789012:root"), "123456789012");
        let ada = user_id("arn:aws:iam::123456789012:user/ada");
        assert!(ada.starts_with("AIDA") && ada.len() == 21, "{ada}");
        assert_eq!(ada, user_id("arn:aws:iam::123456789012:user/ada"));
        assert_ne!(ada, user_id("arn:aws:iam::123456789012:user/bob"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let session = Session {
            account: Account::default(),
            access_key_id: "ASIAQAAAAAAAAAAAAAAA".into(),
            secret_access_key: "hidden".into(),
            token: "hidden".into(),
            principal: "arn:aws:iam::000000000000:root".into(),
            user_id: "000000000000".into(),
            source_identity: None,
            created_ms: 0,
            expires_ms: 1,
        };
        assert!(!format!("{session:?}").contains("hidden"));
        assert_eq!(session.key(), "000000000000/us-east-1/ASIAQAAAAAAAAAAAAAAA");
    }
}
