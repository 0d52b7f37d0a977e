//! A REST API's resource with all that hangs below it: methods, integrations and their responses.

use std::collections::BTreeMap;

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// One node of an API's path tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    /// `None` at the root.
    pub parent_id: Option<String>,
    pub path_part: Option<String>,
    /// The whole template from the root: `/`, `/pets/{id}`.
    pub path: String,
    /// By HTTP method or `ANY`.
    pub methods: BTreeMap<String, Method>,
}

impl Record for Resource {
    const TABLE: &'static str = "resource";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}

/// What a resource answers one HTTP method with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Method {
    /// `NONE` or `AWS_IAM`, `CUSTOM`, `COGNITO_USER_POOLS`.
    pub authorization_type: String,
    pub authorizer_id: Option<String>,
    pub authorization_scopes: Vec<String>,
    pub api_key_required: bool,
    pub request_validator_id: Option<String>,
    pub operation_name: Option<String>,
    /// `method.request.header.X` → is it required?
    pub request_parameters: BTreeMap<String, bool>,
    pub request_models: Texts,
    /// By status code.
    pub responses: BTreeMap<String, MethodResponse>,
    pub integration: Option<Integration>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MethodResponse {
    pub response_parameters: BTreeMap<String, bool>,
    pub response_models: Texts,
}

/// Where a method's requests go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Integration {
    /// `AWS`, `AWS_PROXY`, `HTTP`, `HTTP_PROXY` or `MOCK`.
    pub kind: String,
    pub http_method: Option<String>,
    pub uri: Option<String>,
    pub connection_type: Option<String>,
    pub connection_id: Option<String>,
    pub credentials: Option<String>,
    /// `tlsConfig.insecureSkipVerification`, where it was said.
    #[serde(default)]
    pub skips_tls_verification: Option<bool>,
    pub request_parameters: Texts,
    pub request_templates: Texts,
    /// `WHEN_NO_MATCH`, `WHEN_NO_TEMPLATES` or `NEVER`.
    pub passthrough_behavior: String,
    pub content_handling: Option<String>,
    pub timeout_ms: u32,
    /// `responseTransferMode`: whether answers are passed on as they come (`STREAM`), or once they are whole (`BUFFERED`).
    #[serde(default)]
    pub is_streamed: bool,
    pub cache_namespace: Option<String>,
    pub cache_key_parameters: Vec<String>,
    /// By status code.
    pub responses: BTreeMap<String, IntegrationResponse>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IntegrationResponse {
    pub selection_pattern: Option<String>,
    pub response_parameters: Texts,
    pub response_templates: Texts,
    pub content_handling: Option<String>,
}
