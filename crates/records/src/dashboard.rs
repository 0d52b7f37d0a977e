//! A CloudWatch dashboard: a body of widgets under a name.
//!
//! Dashboards are global: they live once per account, under the key of [`role::global`](crate::role::global), whatever region a call
//! is scoped to.

use pitbird_names::{Account, arn};
use serde::{Deserialize, Serialize};

use crate::{Record, Texts, role};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dashboard {
    pub account: Account,
    /// 1 to 255 of `[0-9A-Za-z_-]`.
    pub name: String,
    /// As it was given, a JSON text.
    pub body: String,
    pub modified_ms: i64,
    pub tags: Texts,
}

impl Dashboard {
    /// The key of an account's dashboard by its name.
    pub fn key_of(account: &Account, name: &str) -> String {
        crate::key(&role::global(account), &[name])
    }

    /// The prefix of the keys of an account's dashboards.
    pub fn prefix_of(account: &Account) -> String {
        crate::prefix(&role::global(account), &[])
    }

    pub fn arn(&self) -> String {
        arn::dashboard(&self.account, &self.name)
    }
}

impl Record for Dashboard {
    const TABLE: &'static str = "dashboard";
    fn key(&self) -> String {
        Dashboard::key_of(&self.account, &self.name)
    }
}
