//! What of a method's requests is checked before its integration is asked.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestValidator {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    pub name: Option<String>,
    pub validate_request_body: bool,
    pub validate_request_parameters: bool,
}

impl Record for RequestValidator {
    const TABLE: &'static str = "request_validator";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}
