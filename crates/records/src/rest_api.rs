//! An API Gateway REST API, without its resources.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// The settings that a deployment freezes, together with the live ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestApi {
    pub scope: Scope,
    /// Unique over all scopes: the invoke URL names nothing else.
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    pub created_ms: i64,
    pub binary_media_types: Vec<String>,
    pub minimum_compression_size: Option<i64>,
    /// `HEADER` or `AUTHORIZER`.
    pub api_key_source: String,
    /// `EDGE`, `REGIONAL` or `PRIVATE`.
    pub endpoint_types: Vec<String>,
    pub ip_address_type: String,
    pub vpc_endpoint_ids: Vec<String>,
    /// The resource policy, a JSON text.
    pub policy: Option<String>,
    pub disable_execute_api_endpoint: bool,
    pub root_resource_id: String,
    pub tags: Texts,
}

impl Record for RestApi {
    const TABLE: &'static str = "rest_api";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.id])
    }
}
