//! Who decides whether an HTTP API's request may pass.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpAuthorizer {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    pub name: String,
    /// `$request.header.X`, `$request.querystring.X`, `$context.X`, `$stageVariables.X`.
    pub identity_sources: Vec<String>,
    pub kind: HttpAuthorizerKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum HttpAuthorizerKind {
    /// A token that somebody else has signed.
    Jwt { issuer: String, audience: Vec<String> },
    /// A function that decides.
    Request {
        /// `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations`.
        uri: String,
        /// `1.0` or `2.0`.
        payload_format_version: String,
        enable_simple_responses: bool,
        /// Seconds, 0 to 3600; 0 keeps no results.
        result_ttl_s: u32,
    },
}

impl Record for HttpAuthorizer {
    const TABLE: &'static str = "http_authorizer";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}
