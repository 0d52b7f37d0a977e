use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{DeployGroup, FunctionDeployment, Record, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::group_settings::Elsewhere;
use crate::shape::alarms::AlarmConfiguration;
use crate::shape::rollback::{self, AutoRollbackConfiguration};
use crate::shape::style::DeploymentStyle;
use crate::shape::trigger::{self, TriggerConfig};
use crate::{Error, State, config, find, name, role};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    current_deployment_group_name: String,
    new_deployment_group_name: Option<String>,
    deployment_config_name: Option<String>,
    service_role_arn: Option<String>,
    trigger_configurations: Option<Vec<TriggerConfig>>,
    alarm_configuration: Option<AlarmConfiguration>,
    auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    outdated_instances_strategy: Option<String>,
    deployment_style: Option<DeploymentStyle>,
    ec2_tag_filters: Option<Vec<Value>>,
    on_premises_instance_tag_filters: Option<Vec<Value>>,
    auto_scaling_groups: Option<Vec<Value>>,
    ecs_services: Option<Vec<Value>>,
    termination_hook_enabled: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    hooks_not_cleaned_up: [(); 0],
}

/// What is given takes the place of what was. A deployment that runs goes on as it began.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    Elsewhere {
        ec2_tag_filters: input.ec2_tag_filters,
        on_premises_instance_tag_filters: input.on_premises_instance_tag_filters,
        auto_scaling_groups: input.auto_scaling_groups,
        ecs_services: input.ecs_services,
        termination_hook_enabled: input.termination_hook_enabled,
    }
    .check()?;
    input.deployment_style.as_ref().map_or(Ok(()), DeploymentStyle::check)?;
    let alarms = input.alarm_configuration.map(AlarmConfiguration::parse).transpose()?;
    let triggers = input.trigger_configurations.map(trigger::parse).transpose()?;
    let scope = caller.scope;
    let update = move |tx: &mut Transaction<'_>| {
        let application = find::application(tx, &scope, &input.application_name)?;
        let mut group = find::group(tx, &application, &input.current_deployment_group_name)?;
        group.config = input.deployment_config_name.unwrap_or(group.config);
        group.service_role = input.service_role_arn.unwrap_or(group.service_role);
        group.alarms = alarms.or(group.alarms);
        if let Some(given) = input.auto_rollback_configuration {
            group.auto_rollback = Some(given.parse(group.alarms.as_ref())?);
        }
        rollback::check(group.auto_rollback.as_ref(), group.alarms.as_ref())?;
        group.triggers = triggers.unwrap_or(group.triggers);
        group.outdated_instances_strategy =
            input.outdated_instances_strategy.or(group.outdated_instances_strategy);
        config::find(tx, &scope, &group.config)?;
        role::check(tx, &scope, &group.service_role)?;
        match input.new_deployment_group_name {
            Some(new) if new != group.name => rename(tx, &scope, group, new),
            _ => Ok(tx.put(&group).map(drop)?),
        }
    };
    state.parts.store.write::<_, Error>(update).await?;
    Ok(Output { hooks_not_cleaned_up: [] })
}

/// Its deployments know the group by its name.
fn rename(tx: &mut Transaction<'_>, scope: &Scope, mut group: DeployGroup, new: String) -> Result<(), Error> {
    name::group(&new)?;
    if tx.exists::<DeployGroup>(&key(scope, &[&group.application_id, &new]))? {
        return Err(Error::GroupTaken(new));
    }
    tx.delete::<DeployGroup>(&group.key())?;
    group.name = new.clone();
    tx.put(&group)?;
    for found in tx.list::<FunctionDeployment>(&prefix(scope, &[]))? {
        let mut deployment = found.record;
        if deployment.group_id == group.id {
            deployment.group = new.clone();
            tx.put(&deployment)?;
        }
    }
    Ok(())
}
