use std::sync::Arc;

use pitbird_records::{DeployGroup, Texts, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::group_settings::Elsewhere;
use crate::shape::alarms::AlarmConfiguration;
use crate::shape::rollback::{self, AutoRollbackConfiguration};
use crate::shape::style::DeploymentStyle;
use crate::shape::tags::{self, Tag};
use crate::shape::trigger::{self, TriggerConfig};
use crate::{Error, State, config, find, limits, name, role};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    deployment_group_name: String,
    deployment_config_name: Option<String>,
    service_role_arn: String,
    trigger_configurations: Option<Vec<TriggerConfig>>,
    alarm_configuration: Option<AlarmConfiguration>,
    auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    outdated_instances_strategy: Option<String>,
    deployment_style: Option<DeploymentStyle>,
    tags: Option<Vec<Tag>>,
    ec2_tag_filters: Option<Vec<Value>>,
    on_premises_instance_tag_filters: Option<Vec<Value>>,
    auto_scaling_groups: Option<Vec<Value>>,
    ecs_services: Option<Vec<Value>>,
    termination_hook_enabled: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_group_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    name::group(&input.deployment_group_name)?;
    Elsewhere {
        ec2_tag_filters: input.ec2_tag_filters,
        on_premises_instance_tag_filters: input.on_premises_instance_tag_filters,
        auto_scaling_groups: input.auto_scaling_groups,
        ecs_services: input.ecs_services,
        termination_hook_enabled: input.termination_hook_enabled,
    }
    .check()?;
    let alarms = input.alarm_configuration.map(AlarmConfiguration::parse).transpose()?;
    let auto_rollback = input.auto_rollback_configuration;
    let mut group = DeployGroup {
        scope: caller.scope,
        application_id: String::new(),
        name: input.deployment_group_name,
        id: pitbird_names::uuid((state.parts.entropy)()),
        created_ms: now_ms,
        config: input.deployment_config_name.unwrap_or_else(|| config::DEFAULT.to_owned()),
        service_role: input.service_role_arn,
        triggers: trigger::parse(input.trigger_configurations.unwrap_or_default())?,
        auto_rollback: auto_rollback.map(|given| given.parse(alarms.as_ref())).transpose()?,
        alarms,
        outdated_instances_strategy: input.outdated_instances_strategy,
        target_revision: None,
        last_successful: None,
        last_attempted: None,
        tags: Texts::new(),
    };
    rollback::check(group.auto_rollback.as_ref(), group.alarms.as_ref())?;
    tags::add(&mut group.tags, input.tags.unwrap_or_default())?;
    let style = input.deployment_style.unwrap_or_default();
    let create = move |tx: &mut Transaction<'_>| {
        let application = find::application(tx, &group.scope, &input.application_name)?;
        style.check()?;
        group.application_id = application.id.clone();
        if tx.exists::<DeployGroup>(&key(&group.scope, &[&application.id, &group.name]))? {
            return Err(Error::GroupTaken(group.name));
        }
        if tx.count::<DeployGroup>(&prefix(&group.scope, &[&application.id]))? >= limits::GROUPS {
            let words = format!("The application has {} groups; more it can't have.", limits::GROUPS);
            return Err(Error::TooMany { code: "DeploymentGroupLimitExceededException", words });
        }
        config::find(tx, &group.scope, &group.config)?;
        role::check(tx, &group.scope, &group.service_role)?;
        tx.put(&group)?;
        Ok(group.id)
    };
    Ok(Output { deployment_group_id: state.parts.store.write(create).await? })
}
