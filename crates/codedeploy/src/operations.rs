//! One file per operation: its input, its output, one function.

mod batch_get_application_revisions;
mod batch_get_applications;
mod batch_get_deployment_groups;
mod batch_get_deployment_targets;
mod batch_get_deployments;
mod continue_deployment;
mod create_application;
mod create_deployment;
mod create_deployment_config;
mod create_deployment_group;
mod delete_application;
mod delete_deployment_config;
mod delete_deployment_group;
mod get_application;
mod get_application_revision;
mod get_deployment;
mod get_deployment_config;
mod get_deployment_group;
mod get_deployment_target;
mod group_settings;
mod list_application_revisions;
mod list_applications;
mod list_deployment_configs;
mod list_deployment_groups;
mod list_deployment_targets;
mod list_deployments;
mod list_tags_for_resource;
mod put_lifecycle_event_hook_execution_status;
mod register_application_revision;
mod skip_wait_time_for_instance_termination;
mod stop_deployment;
mod tag_resource;
mod tagged;
mod untag_resource;
mod update_application;
mod update_deployment_group;

use pitbird_service::Builder;

use crate::{Error, State};

pub fn hang(builder: Builder<State>) -> Builder<State> {
    let builder = builder
        .operation("BatchGetApplications", &[], batch_get_applications::run)
        .operation("CreateApplication", &[], create_application::run)
        .operation("DeleteApplication", &[], delete_application::run)
        .operation("GetApplication", &[], get_application::run)
        .operation("ListApplications", &[], list_applications::run)
        .operation("UpdateApplication", &[], update_application::run)
        .operation("BatchGetDeploymentGroups", &[], batch_get_deployment_groups::run)
        .operation("CreateDeploymentGroup", &[], create_deployment_group::run)
        .operation("DeleteDeploymentGroup", &[], delete_deployment_group::run)
        .operation("GetDeploymentGroup", &[], get_deployment_group::run)
        .operation("ListDeploymentGroups", &[], list_deployment_groups::run)
        .operation("UpdateDeploymentGroup", &[], update_deployment_group::run)
        .operation("CreateDeploymentConfig", &[], create_deployment_config::run)
        .operation("DeleteDeploymentConfig", &[], delete_deployment_config::run)
        .operation("GetDeploymentConfig", &[], get_deployment_config::run)
        .operation("ListDeploymentConfigs", &[], list_deployment_configs::run)
        .operation("ListTagsForResource", &[], list_tags_for_resource::run)
        .operation("TagResource", &[], tag_resource::run)
        .operation("UntagResource", &[], untag_resource::run);
    hang_deployments(builder)
}

fn hang_deployments(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("BatchGetApplicationRevisions", &[], batch_get_application_revisions::run)
        .operation("GetApplicationRevision", &[], get_application_revision::run)
        .operation("ListApplicationRevisions", &[], list_application_revisions::run)
        .operation("RegisterApplicationRevision", &[], register_application_revision::run)
        .operation("BatchGetDeployments", &[], batch_get_deployments::run)
        .operation("ContinueDeployment", &[], continue_deployment::run)
        .operation("CreateDeployment", &[], create_deployment::run)
        .operation("GetDeployment", &[], get_deployment::run)
        .operation("ListDeployments", &[], list_deployments::run)
        .operation("StopDeployment", &[], stop_deployment::run)
        .operation("BatchGetDeploymentTargets", &[], batch_get_deployment_targets::run)
        .operation("GetDeploymentTarget", &[], get_deployment_target::run)
        .operation("ListDeploymentTargets", &[], list_deployment_targets::run)
        .operation(
            "PutLifecycleEventHookExecutionStatus",
            &[],
            put_lifecycle_event_hook_execution_status::run,
        )
        .operation("SkipWaitTimeForInstanceTermination", &[], skip_wait_time_for_instance_termination::run)
}

/// Other platforms are refused by name; Server is what AWS takes where nothing is said.
fn lambda_only(platform: Option<&str>) -> Result<(), Error> {
    match platform.unwrap_or("Server") {
        "Lambda" => Ok(()),
        other => Err(Error::Unsupported(format!("computePlatform {other}"))),
    }
}

/// A batch has something in it, and not too much.
fn check_batch(length: usize, max: usize, required: &'static str) -> Result<(), Error> {
    if length == 0 {
        return Err(Error::invalid(required, "At least one must be specified."));
    }
    if length > max {
        let words =
            format!("The maximum number of names or IDs allowed for this request ({max}) was exceeded.");
        return Err(Error::TooMany { code: "BatchLimitExceededException", words });
    }
    Ok(())
}
