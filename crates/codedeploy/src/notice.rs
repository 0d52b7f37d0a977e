//! What triggers are told: EventBridge's "CodeDeploy Deployment State-change Notification".

use pitbird_records::DeploymentNotice;
use pitbird_records::function_deployment::{Creator, FunctionDeployment};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::find;

/// The events of triggers that a Lambda deployment can have. `DeploymentReady` never comes, and there are no instances.
pub const EVENTS: [&str; 6] = [
    "DeploymentStart",
    "DeploymentSuccess",
    "DeploymentFailure",
    "DeploymentStop",
    "DeploymentRollback",
    "DeploymentReady",
];

/// What is to be told when a deployment has come to a state (`START`, `SUCCESS`, `FAILURE`, `STOP`). `draw` makes the
/// events' ids.
pub fn of(deployment: &FunctionDeployment, state: &str, draw: u128) -> Vec<DeploymentNotice> {
    let wanted = match state {
        "START" if deployment.creator == Creator::Rollback => ["DeploymentStart", "DeploymentRollback"],
        "START" => ["DeploymentStart"; 2],
        "SUCCESS" => ["DeploymentSuccess"; 2],
        "FAILURE" => ["DeploymentFailure"; 2],
        _ => ["DeploymentStop"; 2],
    };
    let first = if state == "START" { 0 } else { 100 };
    let wants = |events: &[String]| events.iter().any(|event| wanted.contains(&event.as_str()));
    let told = deployment.triggers.iter().filter(|trigger| wants(&trigger.events));
    let group_arn = find::group_arn(&deployment.scope, &deployment.application, &deployment.group);
    (first..)
        .zip(told)
        .map(|(number, trigger)| DeploymentNotice {
            scope: deployment.scope.clone(),
            deployment: deployment.id.clone(),
            number,
            target: trigger.target.clone(),
            group_arn: group_arn.clone(),
            event: event(deployment, state, &group_arn, draw.wrapping_add(u128::from(number))),
        })
        .collect()
}

/// Source: CodeDeploy user guide, "Monitoring deployments with Amazon CloudWatch Events".
fn event(deployment: &FunctionDeployment, state: &str, group_arn: &str, draw: u128) -> String {
    let FunctionDeployment { scope, id, application, group, group_id, updated_ms, .. } = deployment;
    let at = OffsetDateTime::from_unix_timestamp(updated_ms / 1000).ok();
    json!({
        "version": "0",
        "id": pitbird_names::uuid(draw),
        "detail-type": "CodeDeploy Deployment State-change Notification",
        "source": "aws.codedeploy",
        "account": scope.account.as_str(),
        "time": at.and_then(|at| at.format(&Rfc3339).ok()),
        "region": scope.region.as_str(),
        "resources": [
            format!("arn:aws:codedeploy:{}:{}:application:{application}", scope.region, scope.account),
            group_arn,
        ],
        "detail": {
            "region": scope.region.as_str(),
            "deploymentId": id,
            "instanceGroupId": group_id,
            "deploymentGroup": group,
            "state": state,
            "application": application,
        },
    })
    .to_string()
}
