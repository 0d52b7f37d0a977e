//! pitbird's own service that says what was used, by whom, in which month, and which environments functions have now.
//!
//! Telemetry's ledger has the amounts ([`pitbird_telemetry::usage`]). Here they are grouped, log groups are told to the functions and
//! stages that they belong to, and what costs by the time (alarms, provisioned concurrency) is told to the ledger once a minute
//! ([`start_meter`]).
//!
//! Nothing here knows prices; who wants them has `pitbird-prices`.
//!
//! Start at [`service`].

mod error;
mod group;
mod meter;
mod operations;
mod owners;

use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_service::{Builder, Service};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;
use serde::Serialize;

pub use error::Error;
pub use meter::{Meter, start_meter};

/// The environments of an account and region at this moment.
pub type EnvironmentsOf = Arc<dyn Fn(&Scope) -> Vec<Environments> + Send + Sync>;

/// Those of a function's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environments {
    pub function_name: String,
    pub version: String,
    /// Initialised, at work or idle.
    pub alive: usize,
    pub idle: usize,
    pub starting: usize,
}

impl Environments {
    fn key(&self) -> String {
        format!("{}:{}", self.function_name, self.version)
    }
}

/// The service's state.
#[derive(Clone)]
pub struct State {
    pub store: Store,
    pub telemetry: Arc<Telemetry>,
    pub environments: EnvironmentsOf,
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("usage", state)).build()
}

#[cfg(test)]
mod tests;
