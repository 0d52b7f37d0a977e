//! The rules for asynchronous invocations of a function, a version or an alias, as callers give and see them.

use pitbird_names::{FunctionRef, Qualifier, arn};
use pitbird_records::EventInvokeConfig;
use pitbird_service::Caller;
use pitbird_store::Store;
use serde::{Deserialize, Serialize};

use crate::find::{self, Records};
use crate::{Error, Target};

/// What a call sets. What it leaves out stays, or is the default where there was nothing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<u32>,
    destination_config: Option<Destinations>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Destinations {
    #[serde(default)]
    on_success: Destination,
    #[serde(default)]
    on_failure: Destination,
}

/// `{}` where nobody is told.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Destination {
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
}

/// `FunctionEventInvokeConfig`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    /// Epoch seconds.
    last_modified: f64,
    function_arn: String,
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<u32>,
    destination_config: Destinations,
}

impl From<EventInvokeConfig> for View {
    fn from(config: EventInvokeConfig) -> View {
        let qualifier = Qualifier::parse(&config.qualifier);
        let destination = |destination| Destination { destination };
        View {
            last_modified: config.modified_ms as f64 / 1000.0,
            function_arn: arn::function(&config.scope, &config.function, qualifier.as_ref()),
            maximum_retry_attempts: config.retries_max,
            maximum_event_age_in_seconds: config.age_max_s,
            destination_config: Destinations {
                on_success: destination(config.on_success),
                on_failure: destination(config.on_failure),
            },
        }
    }
}

/// What rules may be for: unqualified means `$LATEST`.
pub fn target(
    store: &Store,
    caller: &Caller,
    operation: &'static str,
    name: &str,
    qualifier: Option<&str>,
) -> Result<Target, Error> {
    let target = Target::parse(store, caller, operation, name, qualifier)?;
    let qualifier = target.qualifier.clone().unwrap_or(Qualifier::LATEST);
    Ok(target.with(qualifier))
}

pub fn find(records: &impl Records, target: &Target) -> Result<EventInvokeConfig, Error> {
    find::version(records, target)?;
    records.get(&key(target))?.ok_or_else(|| Error::NoEventInvokeConfig(target.arn()))
}

pub fn key(target: &Target) -> String {
    target.key(&target.qualifier.as_ref().unwrap_or(&Qualifier::LATEST).to_string())
}

impl Input {
    pub fn target(&self, store: &Store, caller: &Caller, operation: &'static str) -> Result<Target, Error> {
        target(store, caller, operation, &self.function_name, self.qualifier.as_deref())
    }

    /// Rules that say nothing else than this.
    pub fn alone(self, target: &Target) -> Result<EventInvokeConfig, Error> {
        let empty = EventInvokeConfig {
            scope: target.scope.clone(),
            function: target.name.clone(),
            qualifier: target.qualifier.as_ref().unwrap_or(&Qualifier::LATEST).to_string(),
            retries_max: None,
            age_max_s: None,
            on_success: None,
            on_failure: None,
            modified_ms: 0,
        };
        self.over(empty)
    }

    /// The rules with what this sets.
    pub fn over(self, mut config: EventInvokeConfig) -> Result<EventInvokeConfig, Error> {
        let Destinations { on_success, on_failure } = self.destination_config.unwrap_or_default();
        let destinations = [on_success.destination, on_failure.destination];
        let has_rules = self.maximum_retry_attempts.is_some() || self.maximum_event_age_in_seconds.is_some();
        if !has_rules && destinations.iter().all(Option::is_none) {
            return Err(Error::NoEventRules);
        }
        config.retries_max = self.maximum_retry_attempts.or(config.retries_max);
        config.age_max_s = self.maximum_event_age_in_seconds.or(config.age_max_s);
        let [on_success, on_failure] = destinations;
        for (given, kept) in [(on_success, &mut config.on_success), (on_failure, &mut config.on_failure)] {
            if let Some(given) = given {
                // An empty one takes away what was there.
                *kept = Some(given).filter(|given| !given.is_empty());
            }
        }
        Ok(config)
    }
}

/// Can those be told that are to be? Functions of the same account and region that are there; not the function itself,
/// which would never end.
pub fn check_destinations(records: &impl Records, config: &EventInvokeConfig) -> Result<(), Error> {
    for destination in [&config.on_success, &config.on_failure].into_iter().flatten() {
        if destination.split(':').nth(2) != Some("lambda") {
            return Err(Error::unsupported(format!("DestinationConfig with the destination {destination}")));
        }
        let refused = || Error::Destination(destination.clone());
        let reference = FunctionRef::parse(destination).map_err(|_| refused())?;
        let scope = reference.scope(&config.scope);
        if scope != config.scope || reference.name == config.function {
            return Err(refused());
        }
        let target = Target { scope, name: reference.name, qualifier: reference.qualifier };
        find::version(records, &target).map_err(|_| refused())?;
    }
    Ok(())
}
