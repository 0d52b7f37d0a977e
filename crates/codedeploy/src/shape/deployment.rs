use pitbird_records::function_deployment::{Creator, DeploymentStatus, FunctionDeployment};
use serde::Serialize;

use super::alarms::AlarmConfiguration;
use super::revision::RevisionLocation;
use super::rollback::AutoRollbackConfiguration;
use super::seconds;
use super::style::DeploymentStyle;
use super::target;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentInfo {
    application_name: String,
    deployment_group_name: String,
    deployment_config_name: String,
    deployment_id: String,
    previous_revision: Option<RevisionLocation>,
    revision: RevisionLocation,
    status: &'static str,
    error_information: Option<ErrorInformation>,
    create_time: f64,
    start_time: Option<f64>,
    complete_time: Option<f64>,
    deployment_overview: DeploymentOverview,
    description: Option<String>,
    creator: &'static str,
    ignore_application_stop_failures: bool,
    auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    update_outdated_instances_only: bool,
    rollback_info: Option<RollbackInfo>,
    deployment_style: DeploymentStyle,
    instance_termination_wait_time_started: bool,
    file_exists_behavior: &'static str,
    /// Whether waits were shortened is told here, since nothing else would tell it.
    deployment_status_messages: Vec<String>,
    compute_platform: &'static str,
    override_alarm_configuration: Option<AlarmConfiguration>,
}

#[derive(Debug, Serialize)]
struct ErrorInformation {
    code: String,
    message: String,
}

/// The one target, counted.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeploymentOverview {
    pending: i64,
    in_progress: i64,
    succeeded: i64,
    failed: i64,
    skipped: i64,
    ready: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RollbackInfo {
    rollback_deployment_id: Option<String>,
    rollback_triggering_deployment_id: Option<String>,
    rollback_message: String,
}

impl From<&FunctionDeployment> for DeploymentInfo {
    fn from(deployment: &FunctionDeployment) -> DeploymentInfo {
        let error = deployment.error.as_ref();
        let rollback = deployment.rollback.as_ref();
        DeploymentInfo {
            application_name: deployment.application.clone(),
            deployment_group_name: deployment.group.clone(),
            deployment_config_name: deployment.config.clone(),
            deployment_id: deployment.id.clone(),
            previous_revision: deployment.previous_revision.as_ref().map(RevisionLocation::from),
            revision: RevisionLocation::from(&deployment.revision),
            status: deployment.status.as_str(),
            error_information: error
                .map(|error| ErrorInformation { code: error.code.clone(), message: error.message.clone() }),
            create_time: seconds(deployment.created_ms),
            start_time: deployment.started_ms.map(seconds),
            complete_time: deployment.completed_ms.map(seconds),
            deployment_overview: overview(deployment),
            description: deployment.description.clone(),
            creator: match deployment.creator {
                Creator::User => "user",
                Creator::Rollback => "codeDeployRollback",
            },
            ignore_application_stop_failures: false,
            auto_rollback_configuration: deployment
                .auto_rollback
                .as_ref()
                .map(AutoRollbackConfiguration::from),
            update_outdated_instances_only: false,
            rollback_info: rollback.map(|rollback| RollbackInfo {
                rollback_deployment_id: rollback.deployment.clone(),
                rollback_triggering_deployment_id: rollback.triggering.clone(),
                rollback_message: rollback.message.clone(),
            }),
            deployment_style: DeploymentStyle::of_lambda(),
            instance_termination_wait_time_started: false,
            file_exists_behavior: "DISALLOW",
            deployment_status_messages: messages(deployment),
            compute_platform: "Lambda",
            override_alarm_configuration: deployment.override_alarms.as_ref().map(AlarmConfiguration::from),
        }
    }
}

fn messages(deployment: &FunctionDeployment) -> Vec<String> {
    if deployment.time_scale == 1.0 {
        return Vec::new();
    }
    vec![format!("The waits of this deployment are divided by {} (--time-scale).", deployment.time_scale)]
}

fn overview(deployment: &FunctionDeployment) -> DeploymentOverview {
    let mut overview = DeploymentOverview::default();
    let place = match target::status(deployment) {
        "Pending" => &mut overview.pending,
        "Succeeded" => &mut overview.succeeded,
        "Failed" => &mut overview.failed,
        _ => &mut overview.in_progress,
    };
    *place = 1;
    debug_assert!(deployment.status != DeploymentStatus::Succeeded || overview.succeeded == 1);
    overview
}
