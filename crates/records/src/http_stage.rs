//! A stage of an HTTP API: the name under which a deployment is reached.

use std::collections::BTreeMap;

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::stage::AccessLog;
use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpStage {
    pub scope: Scope,
    pub api_id: String,
    /// `$default` is served at the API's root.
    pub name: String,
    /// `None` until something was deployed.
    pub deployment_id: Option<String>,
    /// Does each change of the API deploy itself?
    pub auto_deploy: bool,
    pub last_deployment_status_message: Option<String>,
    pub description: Option<String>,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub variables: Texts,
    pub default_route_settings: HttpRouteSettings,
    /// By route key.
    pub route_settings: BTreeMap<String, HttpRouteSettings>,
    pub access_log: Option<AccessLog>,
    pub tags: Texts,
    /// Made by quick create, and kept by the API itself.
    pub is_managed: bool,
    /// Counts how often the results of authorizers were thrown away.
    #[serde(default)]
    pub authorizer_cache_epoch: u64,
}

/// How one route's requests, or those of all routes, are measured and held back. What was never given is `None`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HttpRouteSettings {
    pub detailed_metrics_enabled: Option<bool>,
    /// Requests.
    pub throttling_burst_limit: Option<i64>,
    /// Requests per second.
    pub throttling_rate_limit: Option<f64>,
}

impl Record for HttpStage {
    const TABLE: &'static str = "http_stage";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.name])
    }
}
