//! What a REST API's owner writes about its parts.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentationPart {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    pub location: DocumentationLocation,
    /// A JSON object as text.
    pub properties: String,
}

/// The part that is described. What its kind has no use for is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentationLocation {
    /// `API`, `RESOURCE`, `METHOD` …
    pub kind: String,
    pub path: Option<String>,
    pub method: Option<String>,
    pub status_code: Option<String>,
    pub name: Option<String>,
}

impl Record for DocumentationPart {
    const TABLE: &'static str = "documentation_part";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}

/// A frozen picture of all parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentationVersion {
    pub scope: Scope,
    pub api_id: String,
    pub version: String,
    pub description: Option<String>,
    pub created_ms: i64,
    pub parts: Vec<DocumentationPart>,
}

impl Record for DocumentationVersion {
    const TABLE: &'static str = "documentation_version";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.version])
    }
}
