//! A CodeDeploy deployment to a function's alias: what it is to do, how far it has come, and how it ended.

use pitbird_names::{Scope, VersionId};
use serde::{Deserialize, Serialize};

use crate::Record;
use crate::alias::{Additional, Alias};
use crate::deploy_config::TrafficRouting;
use crate::deploy_group::{AlarmSettings, AutoRollback, DeployTrigger};
use crate::deploy_revision::Revision;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionDeployment {
    pub scope: Scope,
    /// `d-` and 9 of `[A-Z0-9]`.
    pub id: String,
    pub application: String,
    pub application_id: String,
    pub group: String,
    pub group_id: String,
    /// The deployment configuration's name and what it said when the deployment was made.
    pub config: String,
    pub routing: TrafficRouting,
    pub revision: Revision,
    pub previous_revision: Option<Revision>,
    pub description: Option<String>,
    pub creator: Creator,
    pub service_role: String,
    /// What is watched: the group's alarms, or those that were given instead of them.
    pub alarms: Option<AlarmSettings>,
    pub override_alarms: Option<AlarmSettings>,
    pub auto_rollback: Option<AutoRollback>,
    pub triggers: Vec<DeployTrigger>,
    pub shift: AliasShift,
    pub hooks: Hooks,
    pub status: DeploymentStatus,
    pub error: Option<DeploymentError>,
    pub rollback: Option<RollbackInfo>,
    /// `BeforeAllowTraffic`, `AllowTraffic`, `AfterAllowTraffic`.
    pub events: [LifecycleEvent; 3],
    /// How the alias was when the deployment last looked or made it so: it must still be so at the next change.
    pub expected: AliasState,
    /// Was everything as the AppSpec says when it began? Before that there is nothing to roll back.
    pub is_begun: bool,
    /// Changes of the alias so far; each has its own number.
    pub generation: u32,
    /// When the next change is due, epoch milliseconds.
    pub next_ms: Option<u64>,
    /// Waits were divided by this; 1 is real time.
    pub time_scale: f64,
    pub created_ms: i64,
    pub started_ms: Option<i64>,
    pub completed_ms: Option<i64>,
    pub updated_ms: i64,
}

impl FunctionDeployment {
    pub fn has_ended(&self) -> bool {
        self.status.has_ended()
    }

    /// `{function}:{alias}`.
    pub fn target_id(&self) -> String {
        format!("{}:{}", self.shift.function, self.shift.alias)
    }

    /// The new version's share by now, 0 to 1.
    pub fn weight(&self) -> f64 {
        match (&self.expected.version, &self.expected.additional) {
            (version, None) if *version == self.shift.target => 1.0,
            (_, Some(additional)) if additional.version == self.shift.target => additional.weight.get(),
            _ => 0.0,
        }
    }
}

impl Record for FunctionDeployment {
    const TABLE: &'static str = "function_deployment";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.id])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Creator {
    User,
    Rollback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeploymentStatus {
    Created,
    InProgress,
    Succeeded,
    Failed,
    Stopped,
}

impl DeploymentStatus {
    pub fn has_ended(self) -> bool {
        !matches!(self, DeploymentStatus::Created | DeploymentStatus::InProgress)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            DeploymentStatus::Created => "Created",
            DeploymentStatus::InProgress => "InProgress",
            DeploymentStatus::Succeeded => "Succeeded",
            DeploymentStatus::Failed => "Failed",
            DeploymentStatus::Stopped => "Stopped",
        }
    }
}

/// Which alias is to name which version instead of which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasShift {
    pub function: String,
    pub alias: String,
    pub current: VersionId,
    pub target: VersionId,
}

/// Names or ARNs of the functions that validate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Where an alias leads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AliasState {
    pub version: VersionId,
    pub additional: Option<Additional>,
}

impl From<&Alias> for AliasState {
    fn from(alias: &Alias) -> AliasState {
        AliasState { version: alias.version, additional: alias.additional }
    }
}

/// A code of AWS's and its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentError {
    pub code: String,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackInfo {
    /// The deployment that rolls this one back.
    pub deployment: Option<String>,
    /// The deployment that this one rolls back.
    pub triggering: Option<String>,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum EventStatus {
    #[default]
    Pending,
    InProgress,
    Succeeded,
    Failed,
    Skipped,
}

impl EventStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            EventStatus::Pending => "Pending",
            EventStatus::InProgress => "InProgress",
            EventStatus::Succeeded => "Succeeded",
            EventStatus::Failed => "Failed",
            EventStatus::Skipped => "Skipped",
        }
    }

    pub fn has_ended(self) -> bool {
        !matches!(self, EventStatus::Pending | EventStatus::InProgress)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleEvent {
    pub status: EventStatus,
    pub started_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    pub hook: Option<HookRun>,
    /// Why it failed.
    pub diagnostics: Option<String>,
}

/// A validating function that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRun {
    pub function: String,
    /// What the function has to answer with.
    pub execution_id: String,
    /// No answer by then is a failure, epoch milliseconds.
    pub deadline_ms: u64,
    /// What it said: did all go well?
    pub answer: Option<bool>,
}

/// Says which deployment a group has; there is one as long as it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentClaim {
    pub scope: Scope,
    pub group_id: String,
    pub deployment: String,
}

impl Record for DeploymentClaim {
    const TABLE: &'static str = "deployment_claim";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.group_id])
    }
}
