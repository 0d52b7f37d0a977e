//! What a deployment's trigger has yet to be told.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentNotice {
    pub scope: Scope,
    pub deployment: String,
    /// Unique in the deployment; what is told first has the lowest.
    pub number: u32,
    /// A function's ARN, or an `http` or `https` URL.
    pub target: String,
    /// The ARN of the deployment group.
    pub group_arn: String,
    /// The event, JSON.
    pub event: String,
}

impl Record for DeploymentNotice {
    const TABLE: &'static str = "deployment_notice";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.deployment, &format!("{:010}", self.number)])
    }
}
