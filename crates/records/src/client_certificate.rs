//! A certificate by which API Gateway shows itself to HTTP backends.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientCertificate {
    pub scope: Scope,
    pub id: String,
    pub description: Option<String>,
    /// What backends are given to trust.
    pub certificate_pem: String,
    /// Never leaves the server.
    pub private_key_pem: String,
    pub created_ms: i64,
    pub expires_ms: i64,
    pub tags: Texts,
}

impl Record for ClientCertificate {
    const TABLE: &'static str = "client_certificate";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.id])
    }
}
