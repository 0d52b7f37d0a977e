//! A CodeDeploy application: a name that deployment groups and revisions belong to.
//!
//! Only applications of the Lambda platform are kept.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeployApplication {
    pub scope: Scope,
    /// 1 to 100 of `[A-Za-z0-9._+=,@-]`; may be given anew.
    pub name: String,
    /// A UUID, the same for its whole life: groups and revisions are kept under it.
    pub id: String,
    pub created_ms: i64,
    pub tags: Texts,
}

impl DeployApplication {
    /// `arn:aws:codedeploy:{region}:{account}:application:{name}`.
    pub fn arn(&self) -> String {
        format!("arn:aws:codedeploy:{}:{}:application:{}", self.scope.region, self.scope.account, self.name)
    }
}

impl Record for DeployApplication {
    const TABLE: &'static str = "deploy_application";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.name])
    }
}
