//! A CodeDeploy deployment group: by which role, how, watched by what, and what happens when it goes wrong.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::deploy_revision::Revision;
use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeployGroup {
    pub scope: Scope,
    /// [`DeployApplication::id`](crate::DeployApplication::id).
    pub application_id: String,
    /// May be given anew.
    pub name: String,
    /// A UUID, the same for its whole life.
    pub id: String,
    pub created_ms: i64,
    /// The deployment configuration's name.
    pub config: String,
    /// The role's ARN.
    pub service_role: String,
    pub triggers: Vec<DeployTrigger>,
    pub alarms: Option<AlarmSettings>,
    pub auto_rollback: Option<AutoRollback>,
    /// `UPDATE` or `IGNORE`: functions have no instances, so both mean the same.
    pub outdated_instances_strategy: Option<String>,
    /// What was deployed last with success.
    pub target_revision: Option<Revision>,
    /// Ids of deployments.
    pub last_successful: Option<String>,
    pub last_attempted: Option<String>,
    pub tags: Texts,
}

impl Record for DeployGroup {
    const TABLE: &'static str = "deploy_group";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.application_id, &self.name])
    }
}

/// Who is told what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployTrigger {
    pub name: String,
    /// A function's ARN, or an `http` or `https` URL.
    pub target: String,
    /// `DeploymentStart`, `DeploymentSuccess`, …
    pub events: Vec<String>,
}

/// The alarms that stop a deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmSettings {
    pub is_enabled: bool,
    /// Does a deployment go on when the state of an alarm can't be had?
    pub ignores_poll_failure: bool,
    pub names: Vec<String>,
}

/// When a deployment is rolled back by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoRollback {
    pub is_enabled: bool,
    /// `DEPLOYMENT_FAILURE`, `DEPLOYMENT_STOP_ON_ALARM`, `DEPLOYMENT_STOP_ON_REQUEST`.
    pub events: Vec<String>,
}
