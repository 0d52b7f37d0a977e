//! A key that names a REST API's customer.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub scope: Scope,
    pub id: String,
    /// What requests bring; unique within its account and region.
    pub value: String,
    pub name: Option<String>,
    pub customer_id: Option<String>,
    pub description: Option<String>,
    pub enabled: bool,
    pub created_ms: i64,
    pub updated_ms: i64,
    /// `{api id}/{stage}`: from before there were usage plans.
    pub stage_keys: Vec<String>,
    pub tags: Texts,
}

impl Record for ApiKey {
    const TABLE: &'static str = "api_key";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.id])
    }
}
