use std::sync::Arc;

use pitbird_service::{Call, Fault, Harmless};
use serde::Deserialize;

use crate::{Error, State, Target, find};

/// How a source is to be read: all the same while there is none.
pub const DETAILS: [&str; 27] = [
    "AmazonManagedKafkaEventSourceConfig",
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "DocumentDBEventSourceConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionName",
    "FunctionResponseTypes",
    "KMSKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "Queues",
    "ScalingConfig",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Tags",
    "Topics",
    "TumblingWindowInSeconds",
];
pub const HARMLESS: Harmless = &DETAILS;

/// The services whose events Lambda polls for.
const POLLED: [&str; 6] = ["sqs", "kinesis", "dynamodb", "kafka", "mq", "rds"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    event_source_arn: Option<String>,
}

/// Refuses: none of the services that a function could be fed from is here.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let Call { caller, input, .. } = call;
    let target =
        Target::parse(&state.store, &caller, "CreateEventSourceMapping", &input.function_name, None)?;
    find::head(&state.store, &target).map_err(|error| match error {
        Error::UnknownFunction(_) => Error::NoFunctionToFeed,
        other => other,
    })?;
    let Some(arn) = input.event_source_arn else {
        return Err(Error::unsupported("An event source outside AWS").into());
    };
    let service = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1)).unwrap_or_default();
    let known = POLLED.iter().find(|polled| **polled == service);
    Err(known
        .map_or(Error::UnknownSource, |service| Error::unsupported(format!("An event source of {service}")))
        .into())
}
