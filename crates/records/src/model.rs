//! A model of a REST API: a JSON schema that bodies are checked against.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    /// Unique within its API, and what methods name it by.
    pub name: String,
    pub description: Option<String>,
    /// JSON schema, draft 4, as it was given.
    pub schema: Option<String>,
    pub content_type: String,
}

impl Record for Model {
    const TABLE: &'static str = "model";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.name])
    }
}
