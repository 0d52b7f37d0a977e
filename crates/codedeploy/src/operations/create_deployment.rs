use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::function_deployment::{AliasState, Creator, DeploymentStatus, FunctionDeployment};
use pitbird_records::rollout::alias_claim;
use pitbird_records::{
    AlarmSettings, DeployApplication, DeployGroup, DeploymentClaim, Record, Revision, RolloutClaim,
    S3Revision, key, prefix,
};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::register_application_revision::check_description;
use crate::appspec::{self, AppSpec};
use crate::shape::alarms::AlarmConfiguration;
use crate::shape::revision::RevisionLocation;
use crate::shape::rollback::AutoRollbackConfiguration;
use crate::{Ask, Error, ObjectRef, State, commit, config, find, limits, revisions, role, turn};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    deployment_group_name: Option<String>,
    revision: Option<RevisionLocation>,
    deployment_config_name: Option<String>,
    description: Option<String>,
    auto_rollback_configuration: Option<AutoRollbackConfiguration>,
    override_alarm_configuration: Option<AlarmConfiguration>,
    ignore_application_stop_failures: Option<bool>,
    update_outdated_instances_only: Option<bool>,
    file_exists_behavior: Option<String>,
    target_instances: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_id: String,
}

/// What is asked for, once it is read.
struct Wish {
    scope: Scope,
    application: String,
    group: String,
    revision: Revision,
    appspec: AppSpec,
    config: Option<String>,
    description: Option<String>,
    auto_rollback: Option<AutoRollbackConfiguration>,
    override_alarms: Option<AlarmSettings>,
    id: String,
    time_scale: f64,
    now_ms: i64,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    refuse_elsewhere(&input)?;
    check_description(input.description.as_deref())?;
    let store = &state.parts.store;
    let application = find::application(store, &caller.scope, &input.application_name)?;
    let group = find::group(store, &application, input.deployment_group_name.as_deref().unwrap_or_default())?;
    let required = || Error::invalid("RevisionRequiredException", "The revision ID was not specified.");
    let revision = input.revision.ok_or_else(required)?.parse()?;
    let content = content(&state, &group, &revision).await?;
    let wish = Wish {
        appspec: appspec::parse(&caller.scope, &content)?,
        scope: caller.scope,
        application: input.application_name,
        group: group.name,
        revision,
        config: input.deployment_config_name,
        description: input.description,
        auto_rollback: input.auto_rollback_configuration,
        override_alarms: input.override_alarm_configuration.map(AlarmConfiguration::parse).transpose()?,
        id: turn::deployment_id((state.parts.entropy)()),
        time_scale: state.parts.time_scale,
        now_ms,
    };
    commit::make_room(store, &wish.scope, limits::DEPLOYMENTS).await.map_err(Error::from)?;
    let deployment = store.write(move |tx: &mut Transaction<'_>| create(tx, wish)).await?;
    state.drivers.drive(deployment.key()).await;
    Ok(Output { deployment_id: deployment.id })
}

/// What other platforms have. What means nothing is taken.
fn refuse_elsewhere(input: &Input) -> Result<(), Error> {
    let behavior = input.file_exists_behavior.as_deref();
    for (is_given, name) in [
        (input.ignore_application_stop_failures == Some(true), "ignoreApplicationStopFailures"),
        (input.update_outdated_instances_only == Some(true), "updateOutdatedInstancesOnly"),
        (behavior.is_some_and(|behavior| behavior != "DISALLOW"), "fileExistsBehavior"),
        (input.target_instances.is_some(), "targetInstances"),
    ] {
        if is_given {
            return Err(Error::Unsupported(format!("{name} of a Lambda deployment")));
        }
    }
    Ok(())
}

/// The AppSpec's text, fetched as the group's role where it lies in S3.
async fn content(state: &State, group: &DeployGroup, revision: &Revision) -> Result<bytes::Bytes, Error> {
    let s3 = match revision {
        Revision::AppSpecContent { content, .. } | Revision::String { content, .. } => {
            return Ok(content.clone().into());
        }
        Revision::S3(s3) => s3,
    };
    let S3Revision { bucket, key, version, etag, .. } = s3;
    let scope = &group.scope;
    role::check(&state.parts.store, scope, &group.service_role)?;
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let resources = [format!("arn:aws:s3:::{bucket}/{key}")];
    if !(state.parts.may)(&Ask { scope, role: &group.service_role, action, resources: &resources }) {
        let words = format!("The IAM role {} may not {action} s3://{bucket}/{key}.", group.service_role);
        return Err(Error::RevisionNotFetched(words));
    }
    let object = ObjectRef {
        scope: scope.clone(),
        bucket: bucket.clone(),
        key: key.clone(),
        version: version.clone(),
        bytes_max: limits::APPSPEC_BYTES as u64,
    };
    let fetched = (state.parts.fetch)(object).await.map_err(|why| {
        Error::RevisionNotFetched(format!("The revision s3://{bucket}/{key} could not be fetched: {why}"))
    })?;
    if etag.as_deref().is_some_and(|etag| etag.trim_matches('"') != fetched.etag) {
        return Err(Error::RevisionNotFetched(format!("The eTag of s3://{bucket}/{key} is another one.")));
    }
    Ok(fetched.content)
}

fn create(tx: &mut Transaction<'_>, wish: Wish) -> Result<FunctionDeployment, Error> {
    let application = find::application(tx, &wish.scope, &wish.application)?;
    let group = find::group(tx, &application, &wish.group)?;
    role::check(tx, &wish.scope, &group.service_role)?;
    let config = config::find(tx, &wish.scope, wish.config.as_deref().unwrap_or(&group.config))?;
    let alarms = wish.override_alarms.clone().or(group.alarms.clone());
    let auto_rollback = match wish.auto_rollback {
        Some(given) => Some(given.parse(alarms.as_ref())?),
        None => group.auto_rollback.clone(),
    };
    check_free(tx, &group, &wish.appspec)?;
    revisions::used(tx, &application, wish.revision.clone(), &group.name, wish.now_ms)?;
    let shift = wish.appspec.shift;
    let DeployApplication { name: application, id: application_id, .. } = application;
    let deployment = FunctionDeployment {
        expected: AliasState { version: shift.current, additional: None },
        scope: wish.scope,
        id: wish.id,
        application,
        application_id,
        group: group.name,
        group_id: group.id,
        config: config.name,
        routing: config.routing,
        revision: wish.revision,
        previous_revision: group.target_revision,
        description: wish.description,
        creator: Creator::User,
        service_role: group.service_role,
        alarms,
        override_alarms: wish.override_alarms,
        auto_rollback,
        triggers: group.triggers,
        shift,
        hooks: wish.appspec.hooks,
        status: DeploymentStatus::Created,
        error: None,
        rollback: None,
        events: Default::default(),
        is_begun: false,
        generation: 0,
        next_ms: None,
        time_scale: wish.time_scale,
        created_ms: wish.now_ms,
        started_ms: None,
        completed_ms: None,
        updated_ms: wish.now_ms,
    };
    commit::begin(tx, &deployment)?;
    Ok(deployment)
}

/// A group has one deployment at a time, and so has an alias.
fn check_free(tx: &Transaction<'_>, group: &DeployGroup, appspec: &AppSpec) -> Result<(), Error> {
    let scope = &group.scope;
    if let Some(claim) = tx.get::<DeploymentClaim>(&key(scope, &[&group.id]))? {
        let deployment = claim.record.deployment;
        return Err(Error::GroupBusy { group: group.name.clone(), deployment });
    }
    let (function, alias) = (&appspec.shift.function, &appspec.shift.alias);
    if let Some(claim) = tx.get::<RolloutClaim>(&key(scope, &[&alias_claim(function, alias)]))? {
        let by = format!("rollout {}", claim.record.rollout);
        return Err(Error::AliasBusy { function: function.clone(), alias: alias.clone(), by });
    }
    if tx.count::<DeploymentClaim>(&prefix(scope, &[]))? >= limits::RUNNING {
        let words = format!("{} deployments are running; that is the most at a time.", limits::RUNNING);
        return Err(Error::TooMany { code: "DeploymentLimitExceededException", words });
    }
    Ok(())
}
