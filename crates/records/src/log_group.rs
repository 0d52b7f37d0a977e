//! A log group: how long its events are kept, and its tags. Streams and events lie elsewhere, and may be there for a group
//! that has no record: the data plane makes groups without asking.

use pitbird_names::{Scope, arn};
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogGroup {
    pub scope: Scope,
    /// 1 to 512 of `[A-Za-z0-9._/#-]`.
    pub name: String,
    pub created_ms: i64,
    /// Days that events are kept; for ever without.
    pub retention_days: Option<u32>,
    /// Neither the group nor its streams may be deleted.
    pub is_protected: bool,
    pub tags: Texts,
}

impl LogGroup {
    /// The key of a group by its name.
    pub fn key_of(scope: &Scope, name: &str) -> String {
        crate::key(scope, &[name])
    }

    /// The prefix of the keys of a scope's groups.
    pub fn prefix_of(scope: &Scope) -> String {
        crate::prefix(scope, &[])
    }

    /// `arn:aws:logs:{region}:{account}:log-group:{name}`.
    pub fn arn(&self) -> String {
        arn::log_group(&self.scope, &self.name)
    }
}

impl Record for LogGroup {
    const TABLE: &'static str = "log_group";
    fn key(&self) -> String {
        LogGroup::key_of(&self.scope, &self.name)
    }
}
