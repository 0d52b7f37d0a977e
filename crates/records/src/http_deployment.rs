//! A deployment of an HTTP API: an immutable picture of its routes and of all that they need.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{HttpAuthorizer, HttpIntegration, HttpRoute, Record};

/// What a stage serves. Everything but the description never changes after creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpDeployment {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    pub description: Option<String>,
    pub created_ms: i64,
    /// Did a change of the API make it, for stages that deploy by themselves?
    pub is_automatic: bool,
    pub routes: Vec<HttpRoute>,
    pub integrations: Vec<HttpIntegration>,
    pub authorizers: Vec<HttpAuthorizer>,
}

impl Record for HttpDeployment {
    const TABLE: &'static str = "http_deployment";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}
