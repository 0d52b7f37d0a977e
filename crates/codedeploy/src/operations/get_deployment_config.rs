use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::config::TrafficRoutingConfig;
use crate::{State, config, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_config_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_config_info: DeploymentConfigInfo,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentConfigInfo {
    deployment_config_id: String,
    deployment_config_name: String,
    create_time: f64,
    compute_platform: &'static str,
    traffic_routing_config: TrafficRoutingConfig,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let found = config::find(&state.parts.store, &caller.scope, &input.deployment_config_name)?;
    Ok(Output {
        deployment_config_info: DeploymentConfigInfo {
            deployment_config_id: found.id,
            deployment_config_name: found.name,
            create_time: shape::seconds(found.created_ms),
            compute_platform: "Lambda",
            traffic_routing_config: TrafficRoutingConfig::from(found.routing),
        },
    })
}
