//! A resource policy of CloudWatch Logs: which services may write to an account's log groups.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogPolicy {
    pub scope: Scope,
    pub name: String,
    /// As it came.
    pub document: String,
    pub updated_ms: i64,
}

impl LogPolicy {
    pub fn key_of(scope: &Scope, name: &str) -> String {
        crate::key(scope, &[name])
    }

    /// The prefix of the keys of a scope's policies.
    pub fn prefix_of(scope: &Scope) -> String {
        crate::prefix(scope, &[])
    }
}

impl Record for LogPolicy {
    const TABLE: &'static str = "log_policy";
    fn key(&self) -> String {
        LogPolicy::key_of(&self.scope, &self.name)
    }
}
