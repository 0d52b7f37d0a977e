//! Lambda's layers: files that functions see under `/opt`.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;
use crate::function::Code;

/// A layer's name. It stays when all of its versions are deleted, so that no number is given twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    pub scope: Scope,
    pub name: String,
    /// The number that the next version gets.
    pub next_version: u64,
}

impl Record for Layer {
    const TABLE: &'static str = "layer";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.name])
    }
}

/// One immutable version of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerVersion {
    pub scope: Scope,
    pub layer: String,
    pub version: u64,
    pub description: String,
    pub license: Option<String>,
    /// What its author says that it works with; nothing where he doesn't say.
    pub runtimes: Vec<String>,
    pub architectures: Vec<String>,
    pub code: Code,
    pub created_ms: i64,
}

impl Record for LayerVersion {
    const TABLE: &'static str = "layer_version";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.layer, &LayerVersion::key_part(self.version)])
    }
}

impl LayerVersion {
    /// The last part of a version's key, so that keys are in the order of numbers.
    pub fn key_part(version: u64) -> String {
        format!("{version:020}")
    }
}
