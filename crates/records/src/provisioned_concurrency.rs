//! How many environments of a version or an alias are kept ready.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProvisionedConcurrency {
    pub scope: Scope,
    pub function: String,
    /// A version's number or an alias.
    pub qualifier: String,
    /// Environments, at least 1.
    pub requested: u32,
    pub modified_ms: i64,
}

impl Record for ProvisionedConcurrency {
    const TABLE: &'static str = "provisioned_concurrency";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.function, &self.qualifier])
    }
}
