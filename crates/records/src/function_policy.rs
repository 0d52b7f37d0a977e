//! The resource policy of a function, a version or an alias: who may invoke it.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionPolicy {
    pub scope: Scope,
    pub function: String,
    /// A version's number or an alias; `None` for the unqualified function.
    pub qualifier: Option<String>,
    pub statements: Vec<Statement>,
}

/// One permission as `AddPermission` was given it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Statement {
    pub sid: String,
    pub action: String,
    pub principal: String,
    pub source_arn: Option<String>,
    pub source_account: Option<String>,
    pub principal_org_id: Option<String>,
    pub event_source_token: Option<String>,
    pub function_url_auth_type: Option<String>,
    pub invoked_via_function_url: Option<bool>,
}

impl Record for FunctionPolicy {
    const TABLE: &'static str = "function_policy";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.function, self.qualifier.as_deref().unwrap_or("$")])
    }
}
