//! A stage: the name under which a deployment is reached, and its canary.

use std::collections::BTreeMap;

use pitbird_names::{Percent, Scope};
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    pub scope: Scope,
    pub api_id: String,
    pub name: String,
    pub deployment_id: String,
    pub description: Option<String>,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub variables: Texts,
    pub canary: Option<Canary>,
    /// By `*/*` or `{resource path, ~1 for /}/{METHOD}`, as in AWS's `methodSettings`.
    pub method_settings: BTreeMap<String, MethodSetting>,
    pub access_log: Option<AccessLog>,
    pub documentation_version: Option<String>,
    pub tracing_enabled: bool,
    #[serde(default)]
    pub cache_cluster_enabled: bool,
    /// GB: `0.5`, `1.6` … `237`.
    #[serde(default)]
    pub cache_cluster_size: Option<String>,
    /// The certificate that HTTP backends are shown.
    #[serde(default)]
    pub client_certificate_id: Option<String>,
    /// How often FlushStageCache was called: whatever was cached under another number is stale.
    #[serde(default)]
    pub cache_flushed: u64,
    /// How often FlushStageAuthorizersCache was called: an authorizer's results under another number are stale.
    #[serde(default)]
    pub authorizers_flushed: u64,
    pub tags: Texts,
}

impl Record for Stage {
    const TABLE: &'static str = "stage";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.name])
    }
}

/// The second picture that a stage serves to a share of its requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    pub deployment_id: String,
    pub percent_traffic: Percent,
    /// `None` when never given; AWS then leaves the key out.
    pub stage_variable_overrides: Option<Texts>,
    pub use_stage_cache: bool,
}

/// One entry of `methodSettings`; made whole as soon as one of its settings is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodSetting {
    pub metrics_enabled: bool,
    /// `OFF`, `ERROR` or `INFO`; `None` until set.
    pub logging_level: Option<String>,
    pub data_trace_enabled: bool,
    pub throttling_burst_limit: i64,
    pub throttling_rate_limit: f64,
    pub caching_enabled: bool,
    pub cache_ttl_s: i64,
    pub cache_data_encrypted: bool,
    pub require_authorization_for_cache_control: bool,
    pub unauthorized_cache_control_header_strategy: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AccessLog {
    pub destination_arn: Option<String>,
    pub format: Option<String>,
}
