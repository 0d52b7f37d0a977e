//! The rim: AWS's own APIs by the official SDK. It finds credentials, region and endpoint as all of AWS's tools do, signs, and tries
//! again what failed in passing.

pub mod alias;
pub mod fault;
pub mod metrics;
pub mod stage;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::{Builder, tls};

pub use fault::{Fault, Kind};

use crate::target::{Call, Seen, Target};

/// A call may take so long with all its attempts.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// The services that are called.
#[derive(Debug, Clone)]
pub struct Cloud {
    gateway: aws_sdk_apigateway::Client,
    metrics: aws_sdk_cloudwatch::Client,
    lambda: aws_sdk_lambda::Client,
    region: String,
}

impl Cloud {
    /// By the environment and AWS's files; an error where no region is named.
    pub async fn from_environment() -> Result<Cloud, String> {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(CALL_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(Builder::new().tls_provider(ring).build_https())
            .timeout_config(timeouts)
            .load()
            .await;
        Cloud::new(&config)
    }

    /// By a configuration that is there already.
    pub fn new(config: &SdkConfig) -> Result<Cloud, String> {
        let region = config.region().map(Region::to_string).ok_or("no region is named: set AWS_REGION")?;
        Ok(Cloud {
            gateway: aws_sdk_apigateway::Client::new(config),
            metrics: aws_sdk_cloudwatch::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            region,
        })
    }

    /// The target as it is now.
    pub async fn see(&self, target: &Target) -> Result<Seen, Fault> {
        match target {
            Target::Stage(target) => self.stage(&target.api_id, &target.stage).await.map(Seen::Stage),
            Target::Alias(target) => self.alias(&target.function, &target.alias).await.map(Seen::Alias),
            Target::Aliases(targets) => {
                let mut seen = Vec::new();
                for target in targets {
                    seen.push(match self.alias(&target.function, &target.alias).await {
                        Ok(alias) => Some(alias),
                        Err(fault) if fault.kind == Kind::Gone => None,
                        Err(fault) => return Err(fault.about(&target.function_name)),
                    });
                }
                Ok(Seen::Aliases(seen))
            }
        }
    }

    /// The region's name.
    pub fn region(&self) -> &str {
        &self.region
    }

    pub async fn call(&self, target: &Target, call: Call) -> Result<(), Fault> {
        match target {
            Target::Stage(target) => self.change_stage(target, call).await,
            Target::Alias(_) => self.change_alias(call).await,
            Target::Aliases(_) => {
                let function = call.function().to_owned();
                self.change_alias(call).await.map_err(|fault| fault.about(&function))
            }
        }
    }
}
