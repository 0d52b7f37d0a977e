//! A REST API's own form of an answer that the gateway gives itself.

use std::collections::BTreeMap;

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// Only those that were put: the rest are API Gateway's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayResponse {
    pub scope: Scope,
    pub api_id: String,
    /// `DEFAULT_4XX`, `UNAUTHORIZED` …
    pub response_type: String,
    pub status_code: Option<String>,
    /// `gatewayresponse.header.X` → `'static'`, `method.request.…` or `context.…`.
    pub response_parameters: Texts,
    /// By media type.
    pub response_templates: BTreeMap<String, String>,
}

impl Record for GatewayResponse {
    const TABLE: &'static str = "gateway_response";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.response_type])
    }
}
