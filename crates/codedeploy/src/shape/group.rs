use pitbird_records::{DeployApplication, DeployGroup, FunctionDeployment, key};
use serde::Serialize;

use super::alarms::AlarmConfiguration;
use super::revision::RevisionLocation;
use super::rollback::AutoRollbackConfiguration;
use super::seconds;
use super::style::DeploymentStyle;
use super::trigger::TriggerConfig;
use crate::find::Records;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentGroupInfo {
    application_name: String,
    deployment_group_id: String,
    deployment_group_name: String,
    deployment_config_name: String,
    ec2_tag_filters: [(); 0],
    on_premises_instance_tag_filters: [(); 0],
    auto_scaling_groups: [(); 0],
    service_role_arn: String,
    target_revision: Option<RevisionLocation>,
    trigger_configurations: Vec<TriggerConfig>,
    alarm_configuration: AlarmConfiguration,
    auto_rollback_configuration: AutoRollbackConfiguration,
    deployment_style: DeploymentStyle,
    outdated_instances_strategy: String,
    last_successful_deployment: Option<LastDeploymentInfo>,
    last_attempted_deployment: Option<LastDeploymentInfo>,
    compute_platform: &'static str,
    termination_hook_enabled: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastDeploymentInfo {
    deployment_id: String,
    status: &'static str,
    end_time: Option<f64>,
    create_time: f64,
}

impl DeploymentGroupInfo {
    pub fn of(
        records: &impl Records,
        application: &DeployApplication,
        group: &DeployGroup,
    ) -> Result<DeploymentGroupInfo, pitbird_store::Error> {
        let last = |id: &Option<String>| -> Result<Option<LastDeploymentInfo>, pitbird_store::Error> {
            let Some(id) = id else { return Ok(None) };
            let found: Option<FunctionDeployment> = records.get(&key(&group.scope, &[id]))?;
            Ok(found.map(|found| LastDeploymentInfo {
                deployment_id: found.id,
                status: found.status.as_str(),
                end_time: found.completed_ms.map(seconds),
                create_time: seconds(found.created_ms),
            }))
        };
        let strategy = group.outdated_instances_strategy.clone();
        Ok(DeploymentGroupInfo {
            application_name: application.name.clone(),
            deployment_group_id: group.id.clone(),
            deployment_group_name: group.name.clone(),
            deployment_config_name: group.config.clone(),
            ec2_tag_filters: [],
            on_premises_instance_tag_filters: [],
            auto_scaling_groups: [],
            service_role_arn: group.service_role.clone(),
            target_revision: group.target_revision.as_ref().map(RevisionLocation::from),
            trigger_configurations: group.triggers.iter().map(TriggerConfig::from).collect(),
            alarm_configuration: AlarmConfiguration::from(&group.alarms.clone().unwrap_or_default()),
            auto_rollback_configuration: AutoRollbackConfiguration::from(
                &group.auto_rollback.clone().unwrap_or_default(),
            ),
            deployment_style: DeploymentStyle::of_lambda(),
            outdated_instances_strategy: strategy.unwrap_or_else(|| "UPDATE".to_owned()),
            last_successful_deployment: last(&group.last_successful)?,
            last_attempted_deployment: last(&group.last_attempted)?,
            compute_platform: "Lambda",
            termination_hook_enabled: false,
        })
    }
}
