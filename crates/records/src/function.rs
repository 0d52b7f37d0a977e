//! A Lambda function's versions; `$LATEST` is one of them and stands for the function.

use pitbird_names::{Scope, VersionId};
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// One version: the mutable head (`$LATEST`) or an immutable copy of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionVersion {
    pub scope: Scope,
    pub name: String,
    pub version: VersionId,
    pub settings: Settings,
    pub code: Code,
    pub revision_id: String,
    pub modified_ms: i64,
    pub state: State,
    pub last_update: LastUpdate,
    /// Only at `$LATEST`: what belongs to the function as a whole.
    pub function: Option<WholeFunction>,
}

impl Record for FunctionVersion {
    const TABLE: &'static str = "function";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.name, &self.version.to_string()])
    }
}

/// What `UpdateFunctionConfiguration` sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub runtime: String,
    pub handler: Option<String>,
    pub role: String,
    pub description: String,
    pub timeout_s: u32,
    pub memory_mib: u32,
    pub tmp_mib: u32,
    /// `None` when never given; AWS then leaves the key out.
    pub environment: Option<Texts>,
    /// `x86_64` or `arm64`; only the host's own runs.
    pub architecture: String,
    pub logging: Logging,
    /// `PassThrough` or `Active`.
    pub tracing_mode: String,
    /// What `/opt` is made of: each over those before it.
    #[serde(default)]
    pub layers: Vec<LayerUse>,
}

/// A layer's version as a function has it. It stays usable when the version is deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerUse {
    pub arn: String,
    pub code: Code,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logging {
    pub group: String,
    /// `Text` or `JSON`.
    pub format: String,
    pub application_level: Option<String>,
    pub system_level: Option<String>,
}

/// Which zip: the blob lives in the store under its hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// Lower-case hex; the wire wants it in base64.
    pub sha256_hex: String,
    pub size_bytes: u64,
    /// All files' contents together; 0 where nobody wrote it down.
    #[serde(default)]
    pub unpacked_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum State {
    Pending,
    Active,
    Failed { code: String, reason: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LastUpdate {
    /// Not said before the function was first active.
    None,
    InProgress,
    Successful,
    Failed {
        code: String,
        reason: String,
    },
}

/// What belongs to no single version.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WholeFunction {
    pub created_ms: i64,
    /// The number that the next published version gets; numbers are never used again.
    pub next_version: u64,
    pub tags: Texts,
    pub reserved_concurrency: Option<u32>,
    /// May events that it causes come back to it without end? (`RecursiveLoop`)
    #[serde(default)]
    pub allows_loops: bool,
}
