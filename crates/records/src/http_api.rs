//! An HTTP API (API Gateway v2), without its routes.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// The settings that hold for all of an API's stages at once; no deployment freezes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpApi {
    pub scope: Scope,
    /// Unique over all scopes and over REST APIs as well: the invoke URL names nothing else.
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    pub created_ms: i64,
    pub api_key_selection_expression: String,
    pub route_selection_expression: String,
    pub disable_execute_api_endpoint: bool,
    /// `ipv4` or `dualstack`.
    pub ip_address_type: String,
    pub cors: Option<HttpCors>,
    pub tags: Texts,
    /// What of the document that it was last imported from was left out.
    #[serde(default)]
    pub import_info: Vec<String>,
}

/// What browsers are told. What was never given is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HttpCors {
    pub allow_credentials: Option<bool>,
    pub allow_headers: Option<Vec<String>>,
    pub allow_methods: Option<Vec<String>>,
    /// Exact ones, `*`, `http://*` or `https://*`.
    pub allow_origins: Option<Vec<String>>,
    pub expose_headers: Option<Vec<String>>,
    /// Seconds, -1 to 86,400; -1 lets browsers keep nothing.
    pub max_age_s: Option<i32>,
}

impl Record for HttpApi {
    const TABLE: &'static str = "http_api";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.id])
    }
}
