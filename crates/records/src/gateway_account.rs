//! API Gateway's settings of one account in one region.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayAccount {
    pub scope: Scope,
    pub cloudwatch_role_arn: Option<String>,
}

impl Record for GatewayAccount {
    const TABLE: &'static str = "gateway_account";
    fn key(&self) -> String {
        crate::key(&self.scope, &["account"])
    }
}
