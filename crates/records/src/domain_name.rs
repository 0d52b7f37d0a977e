//! A custom domain of API Gateway and what is reached under it; REST and HTTP APIs share them.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainName {
    pub scope: Scope,
    /// Lower case; may begin with `*.`. Unique over all scopes: a `Host` header names nothing else.
    pub name: String,
    pub created_ms: i64,
    /// `EDGE` or `REGIONAL`.
    pub endpoint_type: String,
    pub ip_address_type: String,
    pub certificate_arn: Option<String>,
    pub certificate_name: Option<String>,
    pub certificate_uploaded_ms: Option<i64>,
    /// `TLS_1_0`, `TLS_1_2` …
    pub security_policy: String,
    /// `BASE_PATH_MAPPING_ONLY`, `ROUTING_RULE_ONLY` or `ROUTING_RULE_THEN_BASE_PATH_MAPPING`; `v2` of the API says `API_MAPPING_…`.
    pub routing_mode: String,
    pub tags: Texts,
}

impl Record for DomainName {
    const TABLE: &'static str = "domain_name";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.name])
    }
}

/// A path below a domain, and the stage that it leads to: a base path mapping of REST APIs, an API mapping of HTTP APIs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainMapping {
    pub scope: Scope,
    pub domain_name: String,
    pub id: String,
    /// Without slashes at its ends; empty for the whole domain.
    pub base_path: String,
    pub api_id: String,
    /// `None` lets the path's next segment name it (REST APIs only).
    pub stage: Option<String>,
}

impl Record for DomainMapping {
    const TABLE: &'static str = "domain_mapping";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.domain_name, &self.id])
    }
}

/// A rule that sends requests by their headers and base paths, before the mappings are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoutingRule {
    pub scope: Scope,
    pub domain_name: String,
    pub id: String,
    /// 1 to 1,000,000; the lowest that matches wins.
    pub priority: i64,
    /// All must hold; none at all always do.
    pub conditions: Vec<RoutingCondition>,
    pub api_id: String,
    pub stage: String,
    pub strip_base_path: bool,
}

impl Record for RoutingRule {
    const TABLE: &'static str = "routing_rule";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.domain_name, &self.id])
    }
}

/// What a request must bring: one of the headers if there are any, and one of the base paths if there are any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RoutingCondition {
    /// Names as they were written, and globs of a value: a `*` at its beginning, its end or both.
    pub headers: Vec<(String, String)>,
    /// Without slashes at their ends.
    pub base_paths: Vec<String>,
}
