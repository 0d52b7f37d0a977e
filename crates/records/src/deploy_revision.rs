//! A revision: what a CodeDeploy deployment deploys, and what an application remembers of it.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

/// An AppSpec, or where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revision {
    AppSpecContent {
        content: String,
        sha256: Option<String>,
    },
    /// What came before `AppSpecContent`.
    String {
        content: String,
        sha256: Option<String>,
    },
    S3(S3Revision),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Revision {
    pub bucket: String,
    pub key: String,
    /// `YAML` or `JSON`.
    pub bundle: String,
    pub version: Option<String>,
    pub etag: Option<String>,
}

/// A revision that an application knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeployRevision {
    pub scope: Scope,
    /// [`DeployApplication::id`](crate::DeployApplication::id).
    pub application_id: String,
    /// The revision's own identity: a SHA-256 in lower-case hex of what it says.
    pub digest: String,
    pub revision: Revision,
    pub description: Option<String>,
    /// Names of the groups whose target it is.
    pub groups: Vec<String>,
    pub first_used_ms: Option<i64>,
    pub last_used_ms: Option<i64>,
    pub registered_ms: i64,
}

impl Record for DeployRevision {
    const TABLE: &'static str = "deploy_revision";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.application_id, &self.digest])
    }
}
