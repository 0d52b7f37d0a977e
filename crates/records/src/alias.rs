//! A function's alias: a name for one version, or for two of them by weight.

use pitbird_names::{Scope, VersionId, Weight};
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    pub scope: Scope,
    pub function: String,
    pub name: String,
    pub version: VersionId,
    pub description: String,
    pub revision_id: String,
    /// The additional version and its share; the rest goes to `version`.
    pub additional: Option<Additional>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Additional {
    pub version: VersionId,
    pub weight: Weight,
}

impl Record for Alias {
    const TABLE: &'static str = "alias";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.function, &self.name])
    }
}
