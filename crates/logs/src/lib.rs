//! CloudWatch Logs: its operations, no HTTP.
//!
//! [`service`] hangs the operations in, one file each under `operations`. Events and streams are telemetry's; what a group
//! is beyond them, its retention and its tags, is a record in the store. The data plane makes groups without asking, so a
//! group is there when it has a record or when telemetry knows it: `group` joins the two. `put` decides which events of
//! a batch are taken; `queries` runs Insights and keeps what came out, in memory. [`start_sweeper`] throws expired events away.
//!
//! Only plain terms are obeyed as filter patterns; metric and subscription filters, encryption keys and other
//! classes than STANDARD are refused by name. Nothing here speaks HTTP or writes a log line of its own.

mod error;
mod group;
mod identifier;
mod operations;
mod page;
mod put;
mod queries;
mod sweep;
mod tags;

use std::sync::Arc;

use pitbird_service::{Builder, Service};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;

pub use error::Error;
pub use sweep::{Sweeper, start_sweeper, sweep};

/// What the operations work with.
pub struct State {
    pub store: Store,
    pub telemetry: Arc<Telemetry>,
    /// Makes the ids of queries.
    entropy: fn() -> u128,
    queries: queries::Queries,
}

impl State {
    pub fn new(store: Store, telemetry: Arc<Telemetry>, entropy: fn() -> u128) -> State {
        State { store, telemetry, entropy, queries: queries::Queries::default() }
    }
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("logs", state)).build()
}

#[cfg(test)]
mod tests;
