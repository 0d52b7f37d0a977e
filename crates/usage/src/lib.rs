//! pitbird's own service that says what was used, by whom, in which month.
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

use pitbird_service::{Builder, Service};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;

pub use error::Error;
pub use meter::{Meter, start_meter};

/// The service's state.
#[derive(Clone)]
pub struct State {
    pub store: Store,
    pub telemetry: Arc<Telemetry>,
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("usage", state)).build()
}

#[cfg(test)]
mod tests;
