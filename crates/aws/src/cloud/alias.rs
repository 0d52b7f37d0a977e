//! Aliases of functions.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::AliasRoutingConfiguration;

use super::{Cloud, Fault, Kind};
use crate::target::{AliasSeen, Call};

impl Cloud {
    pub async fn alias(&self, function: &str, alias: &str) -> Result<AliasSeen, Fault> {
        let call = self.lambda.get_alias().function_name(function).name(alias).send().await;
        let found = call.map_err(|error| Fault::new("lambda:GetAlias", error))?;
        let shares =
            found.routing_config.and_then(|routing| routing.additional_version_weights).unwrap_or_default();
        // Lambda takes one at most; of none at all, nothing is said.
        let share = shares.into_iter().filter(|(_, weight)| *weight > 0.0).max_by(|a, b| a.1.total_cmp(&b.1));
        Ok(AliasSeen {
            version: found.function_version.unwrap_or_default(),
            share,
            description: found.description.unwrap_or_default(),
            revision: found.revision_id,
        })
    }

    /// Is this version there?
    pub async fn version(&self, function: &str, version: &str) -> Result<(), Fault> {
        let call =
            self.lambda.get_function_configuration().function_name(function).qualifier(version).send().await;
        call.map(|_| ()).map_err(|error| Fault::new("lambda:GetFunctionConfiguration", error))
    }

    /// Is this function there, by its name or ARN, perhaps with a qualifier?
    pub async fn function(&self, function: &str) -> Result<(), Fault> {
        let call = self.lambda.get_function_configuration().function_name(function).send().await;
        call.map(|_| ()).map_err(|error| Fault::new("lambda:GetFunctionConfiguration", error))
    }

    /// Invokes a function once, and waits so long for what it answers.
    pub async fn invoke(&self, function: &str, event: String, patience: Duration) -> Result<Vec<u8>, String> {
        let timeouts =
            TimeoutConfig::builder().operation_timeout(patience).operation_attempt_timeout(patience);
        let config = aws_sdk_lambda::config::Builder::new()
            .timeout_config(timeouts.read_timeout(patience).build())
            .retry_config(RetryConfig::disabled());
        let call = self.lambda.invoke().function_name(function).payload(Blob::new(event));
        let answer = call.customize().config_override(config).send().await;
        let answer = answer.map_err(|error| Fault::new("lambda:InvokeFunction", error).words)?;
        match answer.function_error {
            Some(error) => Err(format!("the function failed: {error}")),
            None => Ok(answer.payload.map(Blob::into_inner).unwrap_or_default()),
        }
    }

    pub(super) async fn change_alias(&self, call: Call) -> Result<(), Fault> {
        let Call::UpdateAlias { function, alias, version, share, description, revision } = call else {
            return Err(Fault { kind: Kind::Refused, words: "an alias takes no such call".to_owned() });
        };
        let shares: HashMap<String, f64> = share.into_iter().collect();
        let routing =
            AliasRoutingConfiguration::builder().set_additional_version_weights(Some(shares)).build();
        let call = self.lambda.update_alias().function_name(function).name(alias);
        let call = call.function_version(version).description(description).routing_config(routing);
        let done = call.set_revision_id(revision).send().await;
        done.map(|_| ()).map_err(|error| Fault::new("lambda:UpdateAlias", error))
    }
}
