//! A managed policy of an account's own, with its versions. AWS's managed policies are no records.
//!
//! Kept like roles: once per account, under the key of [`role::global`], its name in lower case.

use pitbird_names::Account;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts, role};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    pub account: Account,
    /// Starts and ends with a slash.
    pub path: String,
    pub name: String,
    /// `ANPA` and 17 more of `[A-Z2-7]`.
    pub id: String,
    pub description: Option<String>,
    pub created_ms: i64,
    /// When a version was last made, made the default, or deleted.
    pub updated_ms: i64,
    pub default_version: u32,
    /// The number of the next version; numbers are never used again.
    pub next_version: u32,
    /// In the order of their numbers; one of them is the default.
    pub versions: Vec<PolicyVersion>,
    pub tags: Texts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyVersion {
    pub number: u32,
    /// As it was given, a JSON text.
    pub document: String,
    pub created_ms: i64,
}

impl ManagedPolicy {
    /// The key of an account's policy by its bare name, of any case.
    pub fn key_of(account: &Account, name: &str) -> String {
        crate::key(&role::global(account), &[&name.to_ascii_lowercase()])
    }

    /// The prefix of the keys of an account's policies.
    pub fn prefix_of(account: &Account) -> String {
        crate::prefix(&role::global(account), &[])
    }

    /// `arn:aws:iam::{account}:policy{path}{name}`.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:policy{}{}", self.account, self.path, self.name)
    }
}

impl Record for ManagedPolicy {
    const TABLE: &'static str = "managed_policy";
    fn key(&self) -> String {
        ManagedPolicy::key_of(&self.account, &self.name)
    }
}
