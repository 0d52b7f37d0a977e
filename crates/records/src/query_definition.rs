//! A query of Logs Insights that somebody has saved.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryDefinition {
    pub scope: Scope,
    /// A UUID.
    pub id: String,
    /// 1 to 255 characters; several may share one.
    pub name: String,
    pub query: String,
    /// Groups that it is meant for; any if empty.
    pub groups: Vec<String>,
    pub modified_ms: i64,
}

impl QueryDefinition {
    /// The key of a definition by its id.
    pub fn key_of(scope: &Scope, id: &str) -> String {
        crate::key(scope, &[id])
    }

    /// The prefix of the keys of a scope's definitions.
    pub fn prefix_of(scope: &Scope) -> String {
        crate::prefix(scope, &[])
    }
}

impl Record for QueryDefinition {
    const TABLE: &'static str = "query_definition";
    fn key(&self) -> String {
        QueryDefinition::key_of(&self.scope, &self.id)
    }
}
