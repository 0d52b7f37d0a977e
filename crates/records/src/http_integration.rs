//! What is behind routes of an HTTP API.

use std::collections::BTreeMap;

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpIntegration {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    /// `AWS_PROXY` or `HTTP_PROXY`.
    pub kind: String,
    /// A function's ARN, by itself or within `arn:aws:apigateway:…/invocations`, or a backend's URL.
    pub uri: String,
    pub method: Option<String>,
    /// `1.0` or `2.0`.
    pub payload_format_version: String,
    /// Milliseconds, 50 to 30,000.
    pub timeout_ms: u32,
    pub description: Option<String>,
    /// `append|overwrite|remove:header.X`, …`querystring.X`, `overwrite:path`.
    pub request_parameters: Texts,
    /// By status.
    pub response_parameters: BTreeMap<String, Texts>,
    /// Made by quick create, and kept by the API itself.
    pub is_managed: bool,
}

impl Record for HttpIntegration {
    const TABLE: &'static str = "http_integration";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}
