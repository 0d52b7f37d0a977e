//! A route of an HTTP API: which requests it takes, who may make them and what answers them.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpRoute {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    /// `GET /pets/{id}`, `ANY /{proxy+}` or `$default`.
    pub route_key: String,
    /// The integration's id; `None` until one is attached.
    pub integration_id: Option<String>,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `JWT`.
    pub authorization_type: String,
    pub authorizer_id: Option<String>,
    pub authorization_scopes: Vec<String>,
    pub operation_name: Option<String>,
    /// Made by quick create, and kept by the API itself.
    pub is_managed: bool,
}

impl Record for HttpRoute {
    const TABLE: &'static str = "http_route";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}
