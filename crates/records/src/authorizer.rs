//! Who decides whether a REST API's request may pass.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Authorizer {
    pub scope: Scope,
    pub api_id: String,
    pub id: String,
    pub name: String,
    /// `TOKEN`, `REQUEST` or `COGNITO_USER_POOLS`.
    pub kind: String,
    /// User pools, with `COGNITO_USER_POOLS`.
    pub provider_arns: Vec<String>,
    /// A word of the customer's own, for exports only.
    pub auth_type: Option<String>,
    /// The function that decides: `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations`.
    pub uri: Option<String>,
    pub credentials: Option<String>,
    /// `method.request.header.X`, several joined by commas.
    pub identity_source: Option<String>,
    pub identity_validation_expression: Option<String>,
    /// Seconds, 0 to 3600; 0 keeps no results.
    pub result_ttl_s: Option<u32>,
}

impl Record for Authorizer {
    const TABLE: &'static str = "authorizer";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.api_id, &self.id])
    }
}
