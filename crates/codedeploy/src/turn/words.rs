//! What a deployment says of itself.
//!
//! Texts of AWS's that are known: [`CONFIGURATION`], [`alias_mismatch`], [`role_forbids`], [`alarms_active`], and those of
//! rollbacks. The others are ours, in AWS's manner.

use pitbird_names::VersionId;
use pitbird_records::function_deployment::AliasState;

/// Source: messages of real deployments, as people report them.
pub const CONFIGURATION: &str = "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment \
     configuration is missing or has an invalid configuration.";

pub fn alias_mismatch() -> String {
    format!(
        "{CONFIGURATION} The Lambda function alias version does not match the current version in AppSpec file."
    )
}

pub fn no_alias(function: &str, alias: &str) -> String {
    format!("{CONFIGURATION} The alias {alias} of the Lambda function {function} does not exist.")
}

pub fn alias_weighted(alias: &str) -> String {
    format!("{CONFIGURATION} The alias {alias} already sends a share of its traffic to another version.")
}

pub fn alias_moved(alias: &str, found: &AliasState, expected: &AliasState) -> String {
    format!(
        "The deployment failed because the alias {alias} was changed by somebody else: it leads to {} instead of {}. It is \
         left as it is.",
        leads(found),
        leads(expected)
    )
}

fn leads(state: &AliasState) -> String {
    match &state.additional {
        None => format!("version {}", state.version),
        Some(additional) => format!(
            "version {} with {} % to version {}",
            state.version,
            additional.weight.get() * 100.0,
            additional.version
        ),
    }
}

pub fn no_version(function: &str, version: VersionId) -> String {
    format!(
        "The deployment failed because version {version} of the Lambda function {function} does not exist."
    )
}

pub fn group_missing(group: &str) -> String {
    format!("The deployment failed because the deployment group {group} no longer exists.")
}

pub fn role_missing(role: &str) -> String {
    format!(
        "The deployment failed because the IAM role {role} does not exist or cannot be assumed by CodeDeploy."
    )
}

/// Source: messages of real deployments, as people report them.
pub fn role_forbids(role: &str, service: &str) -> String {
    format!(
        "The IAM role {role} does not give you permission to perform operations in the following AWS service: {service}. \
         Contact your AWS administrator if you need help. If you are an AWS administrator, you can grant permissions to your \
         users or groups by creating IAM policies."
    )
}

pub fn alarms_active(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
    format!(
        "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected \
         deployments have been stopped. Activated alarms: {}",
        names.join(" ")
    )
}

pub fn alarm_unknown(name: &str) -> String {
    format!(
        "The deployment failed because the state of the alarm {name} could not be retrieved from Amazon CloudWatch."
    )
}

pub fn hook_said_no(event: &str, function: &str) -> String {
    format!(
        "The deployment failed because the function {function} reported that the lifecycle event {event} failed."
    )
}

pub fn hook_broke(event: &str, function: &str, why: &str) -> String {
    format!(
        "The deployment failed because the function {function} could not validate the lifecycle event {event}: {why}"
    )
}

pub fn hook_silent(event: &str, function: &str) -> String {
    format!(
        "The deployment failed because the function {function} did not report the status of the lifecycle event {event} within \
         one hour."
    )
}

pub const STOPPED: &str = "The deployment was stopped on request.";

pub fn rolled_back(id: &str, rollback: &str) -> String {
    format!("Deployment {id} terminated. Automatic rollback is triggered with a DeploymentId {rollback}.")
}

pub fn rolls_back(rollback: &str, id: &str) -> String {
    format!("Deployment {rollback} is triggered to roll back deployment {id}.")
}
