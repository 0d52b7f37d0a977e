//! An API Gateway deployment: an immutable picture of an API.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Authorizer, GatewayResponse, Model, Record, RequestValidator, Resource, RestApi};

/// What a stage serves. Everything but the description never changes after creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    pub description: Option<String>,
    pub created_ms: i64,
    /// The API's settings as they were.
    pub api: RestApi,
    /// The API's resources as they were.
    pub resources: Vec<Resource>,
    #[serde(default)]
    pub models: Vec<Model>,
    #[serde(default)]
    pub request_validators: Vec<RequestValidator>,
    #[serde(default)]
    pub authorizers: Vec<Authorizer>,
    #[serde(default)]
    pub gateway_responses: Vec<GatewayResponse>,
}

impl Record for Deployment {
    const TABLE: &'static str = "deployment";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}
