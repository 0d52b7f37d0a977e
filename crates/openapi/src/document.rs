//! What a document says, whoever builds an API from it: a REST API ([`rest`](crate::rest)) or an HTTP API.

use std::collections::BTreeMap;

use serde_json::Value;

/// Names and texts, in the order of their names.
pub type Texts = BTreeMap<String, String>;

/// Which language a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Swagger2,
    OpenApi30,
}

/// A document's description of an API. References into the document are followed, but for schemas that name others.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub form: Form,
    pub title: Option<String>,
    pub description: Option<String>,
    pub version: Option<String>,
    /// The path before all paths: `/v1`, or empty.
    pub base_path: String,
    pub settings: Settings,
    /// By name; references to others, or to parts of them, as they stand: `#/definitions/X` or `#/components/schemas/X`.
    pub schemas: Vec<(String, Value)>,
    pub schemes: BTreeMap<String, Scheme>,
    pub paths: Vec<Path>,
    /// What was left out, in API Gateway's words.
    pub warnings: Vec<String>,
    /// What makes the document unfit, in API Gateway's words.
    pub errors: Vec<String>,
}

/// What holds for the API as a whole. `None` is what the document is silent about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// `HEADER` or `AUTHORIZER`, not checked.
    pub api_key_source: Option<String>,
    pub binary_media_types: Option<Vec<String>>,
    /// Bytes.
    pub minimum_compression_size: Option<i64>,
    /// A resource policy's JSON.
    pub policy: Option<Value>,
    pub endpoint_types: Option<Vec<String>>,
    pub ip_address_type: Option<String>,
    pub vpc_endpoint_ids: Option<Vec<String>>,
    pub disable_execute_api_endpoint: Option<bool>,
    pub validators: Vec<(String, Validator)>,
    pub gateway_responses: Vec<(String, GatewayAnswer)>,
    pub documentation: Vec<DocumentationPart>,
    /// An HTTP API's `x-amazon-apigateway-cors`.
    pub cors: Option<Value>,
    /// An HTTP API's tags: those of the document that have an `x-amazon-apigateway-tag-value`.
    pub tags: Texts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validator {
    pub body: bool,
    pub parameters: bool,
}

/// An answer that the gateway gives itself, by its type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GatewayAnswer {
    pub status_code: Option<String>,
    pub parameters: Texts,
    pub templates: Texts,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DocumentationPart {
    pub kind: String,
    pub path: Option<String>,
    pub method: Option<String>,
    pub status_code: Option<String>,
    pub name: Option<String>,
    pub properties: Value,
}

/// How callers say who they are.
#[derive(Debug, Clone, PartialEq)]
pub enum Scheme {
    /// A key in the header `x-api-key`.
    ApiKey,
    /// A Signature Version 4.
    Iam,
    Authorizer(Box<Authorizer>),
    /// Means nothing to a gateway: whom it should keep out, it lets in. There is a warning of it.
    Ignored,
    /// Means to be an authorizer and isn't one: methods that ask for it aren't made. There is a warning of it.
    Broken,
}

/// `x-amazon-apigateway-authorizer` as it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Authorizer {
    /// In lower case: `token`, `request`, `cognito_user_pools`, `jwt`.
    pub kind: String,
    pub auth_type: Option<String>,
    pub uri: Option<String>,
    pub credentials: Option<String>,
    pub identity_source: Option<String>,
    pub identity_validation_expression: Option<String>,
    /// Seconds.
    pub result_ttl_s: Option<i64>,
    pub provider_arns: Vec<String>,
    /// The header that the scheme names.
    pub header: Option<String>,
    /// HTTP APIs.
    pub payload_format_version: Option<String>,
    pub enable_simple_responses: Option<bool>,
    pub issuer: Option<String>,
    pub audience: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// As it was written: `/pets/{id}`, and `/$default` for an HTTP API.
    pub template: String,
    pub operations: Vec<Operation>,
}

/// What is behind one verb of a path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Operation {
    /// `GET` …, `ANY` for `x-amazon-apigateway-any-method`.
    pub verb: String,
    pub id: Option<String>,
    pub parameters: Vec<Parameter>,
    /// By media type.
    pub bodies: Vec<(String, Schema)>,
    pub responses: Vec<Response>,
    /// Its own or the document's.
    pub security: Vec<Requirement>,
    /// `x-amazon-apigateway-auth`'s type, in upper case.
    pub auth: Option<String>,
    /// Its own or the document's.
    pub validator: Option<String>,
    pub integration: Option<Integration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Header,
    Query,
    Path,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub place: Place,
    pub name: String,
    pub is_required: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Schema {
    /// One of the document's own.
    Named(String),
    Inline(Value),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub status: String,
    pub headers: Vec<String>,
    /// By media type.
    pub bodies: Vec<(String, Schema)>,
}

/// A scheme by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    pub scheme: String,
    pub scopes: Vec<String>,
}

/// `x-amazon-apigateway-integration` as it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Integration {
    /// In upper case: `AWS_PROXY`.
    pub kind: String,
    pub http_method: Option<String>,
    pub uri: Option<String>,
    pub credentials: Option<String>,
    pub connection_type: Option<String>,
    pub connection_id: Option<String>,
    pub request_parameters: Texts,
    pub request_templates: Texts,
    /// In upper case: `WHEN_NO_MATCH`.
    pub passthrough_behavior: Option<String>,
    /// In upper case: `CONVERT_TO_TEXT`.
    pub content_handling: Option<String>,
    pub cache_namespace: Option<String>,
    pub cache_key_parameters: Vec<String>,
    pub timeout_ms: Option<i64>,
    pub skips_tls_verification: Option<bool>,
    /// `BUFFERED` or `STREAM`.
    pub response_transfer_mode: Option<String>,
    /// By pattern, `default` the one for everything else.
    pub responses: Vec<(String, IntegrationResponse)>,
    /// HTTP APIs.
    pub payload_format_version: Option<String>,
    pub subtype: Option<String>,
    /// By status; an HTTP API's.
    pub response_parameters: BTreeMap<String, Texts>,
    /// The name that a private backend's certificate must have; an HTTP API's.
    pub server_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct IntegrationResponse {
    pub status: String,
    pub parameters: Texts,
    pub templates: Texts,
    /// In upper case.
    pub content_handling: Option<String>,
}

/// What a document's base path does to its paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BasePath {
    Ignore,
    Prepend,
    /// Prepends all but its first segment.
    Split,
}

impl BasePath {
    /// What is put before all paths, of a document's own base path.
    pub fn of(self, path: &str) -> String {
        match self {
            BasePath::Ignore => String::new(),
            BasePath::Prepend => path.to_owned(),
            BasePath::Split => segments(path).skip(1).map(|segment| format!("/{segment}")).collect(),
        }
    }
}

pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}
