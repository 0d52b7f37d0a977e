use pitbird_names::{Qualifier, arn};
use pitbird_records::function_deployment::{DeploymentStatus, FunctionDeployment, LifecycleEvent as Event};
use serde::Serialize;

use super::seconds;
use crate::turn::EVENTS;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentTarget {
    deployment_target_type: &'static str,
    lambda_target: LambdaTarget,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LambdaTarget {
    deployment_id: String,
    target_id: String,
    target_arn: String,
    status: &'static str,
    last_updated_at: f64,
    lifecycle_events: Vec<LifecycleEvent>,
    lambda_function_info: LambdaFunctionInfo,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LifecycleEvent {
    lifecycle_event_name: &'static str,
    status: &'static str,
    start_time: Option<f64>,
    end_time: Option<f64>,
    diagnostics: Option<Diagnostics>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Diagnostics {
    error_code: &'static str,
    script_name: String,
    message: String,
    log_tail: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LambdaFunctionInfo {
    function_name: String,
    function_alias: String,
    current_version: String,
    target_version: String,
    target_version_weight: f64,
}

/// How the target of a deployment stands.
pub fn status(deployment: &FunctionDeployment) -> &'static str {
    match deployment.status {
        DeploymentStatus::Created => "Pending",
        DeploymentStatus::InProgress => "InProgress",
        DeploymentStatus::Succeeded => "Succeeded",
        DeploymentStatus::Failed | DeploymentStatus::Stopped => "Failed",
    }
}

impl From<&FunctionDeployment> for DeploymentTarget {
    fn from(deployment: &FunctionDeployment) -> DeploymentTarget {
        let shift = &deployment.shift;
        let alias = Qualifier::Alias(shift.alias.clone());
        let events = EVENTS.into_iter().zip(&deployment.events);
        DeploymentTarget {
            // As AWS documents it; the model's enum says LambdaTarget.
            deployment_target_type: "LambdaFunction",
            lambda_target: LambdaTarget {
                deployment_id: deployment.id.clone(),
                target_id: deployment.target_id(),
                target_arn: arn::function(&deployment.scope, &shift.function, Some(&alias)),
                status: status(deployment),
                last_updated_at: seconds(deployment.updated_ms),
                lifecycle_events: events.map(|(name, event)| shown(name, event)).collect(),
                lambda_function_info: LambdaFunctionInfo {
                    function_name: shift.function.clone(),
                    function_alias: shift.alias.clone(),
                    current_version: shift.current.to_string(),
                    target_version: shift.target.to_string(),
                    target_version_weight: deployment.weight(),
                },
            },
        }
    }
}

fn shown(name: &'static str, event: &Event) -> LifecycleEvent {
    let hook = event.hook.as_ref().map(|run| run.function.clone()).unwrap_or_default();
    LifecycleEvent {
        lifecycle_event_name: name,
        status: event.status.as_str(),
        start_time: event.started_ms.map(seconds),
        end_time: event.ended_ms.map(seconds),
        diagnostics: event.diagnostics.as_ref().map(|message| Diagnostics {
            error_code: "UnknownError",
            script_name: hook,
            message: message.clone(),
            log_tail: String::new(),
        }),
    }
}
