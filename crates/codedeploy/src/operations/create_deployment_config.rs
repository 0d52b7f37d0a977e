use std::sync::Arc;

use pitbird_records::{DeployConfig, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::shape::config::TrafficRoutingConfig;
use crate::{Error, State, limits, name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_config_name: String,
    traffic_routing_config: Option<TrafficRoutingConfig>,
    compute_platform: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployment_config_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    name::config(&input.deployment_config_name)?;
    super::lambda_only(input.compute_platform.as_deref())?;
    if input.deployment_config_name.starts_with(name::RESERVED) {
        let words =
            format!("Names that begin with {} are those of predefined configurations.", name::RESERVED);
        return Err(Error::invalid("InvalidDeploymentConfigNameException", words).into());
    }
    let missing = || {
        let words = "A deployment configuration for Lambda must have a trafficRoutingConfig.";
        Error::invalid("InvalidTrafficRoutingConfigurationException", words)
    };
    let config = DeployConfig {
        scope: caller.scope,
        name: input.deployment_config_name,
        id: pitbird_names::uuid((state.parts.entropy)()),
        created_ms: now_ms,
        routing: input.traffic_routing_config.ok_or_else(missing)?.parse()?,
    };
    let create = move |tx: &mut Transaction<'_>| {
        let DeployConfig { scope, name, .. } = &config;
        if tx.exists::<DeployConfig>(&key(scope, &[name]))? {
            return Err(Error::ConfigTaken(name.clone()));
        }
        if tx.count::<DeployConfig>(&prefix(scope, &[]))? >= limits::CONFIGS {
            let words =
                format!("There are {} deployment configurations; more there can't be.", limits::CONFIGS);
            return Err(Error::TooMany { code: "DeploymentConfigLimitExceededException", words });
        }
        tx.put(&config)?;
        Ok(config.id)
    };
    Ok(Output { deployment_config_id: state.parts.store.write(create).await? })
}
