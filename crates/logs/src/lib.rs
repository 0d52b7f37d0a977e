//! CloudWatch Logs: its operations, no HTTP.
//!
//! [`service`] hangs the operations in, one file each under `operations`. Events and streams are telemetry's; what a group
//! is beyond them, its retention and its tags, is a record in the store. The data plane makes groups without asking, so a
//! group is there when it has a record or when telemetry knows it: `group` joins the two. `put` decides which events of
//! a batch are taken; `queries` runs Insights and keeps what came out, in memory. [`start_sweeper`] throws expired events away.
//!
//! Metric filters, subscription filters and Live Tail sessions are in `filters`, `subscriber` and `live`, embedded metrics in
//! `emf`, export tasks in `export`; [`start_follower`] looks at all that is filed on their behalf.
//!
//! Encryption keys and other classes than STANDARD are refused by name, and so are subscribers other than
//! functions. Nothing here speaks HTTP or writes a log line of its own.

mod emf;
mod error;
mod export;
mod filters;
mod follow;
mod group;
mod identifier;
mod live;
mod operations;
mod page;
mod put;
mod queries;
mod subscriber;
mod sweep;
mod tags;

use std::sync::Arc;

use pitbird_service::{Builder, Service};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;

pub use error::Error;
pub use export::{Exported, Keep};
pub use follow::{Follower, start_follower};
pub use subscriber::{Deliver, Delivery};
pub use sweep::{Sweeper, start_sweeper, sweep};

use filters::Filters;
use live::Sessions;

/// What the operations work with.
pub struct State {
    store: Store,
    telemetry: Arc<Telemetry>,
    deliver: Deliver,
    keep: Keep,
    filters: Arc<Filters>,
    sessions: Arc<Sessions>,
    queries: queries::Queries,
    /// Makes the ids of queries.
    entropy: fn() -> u128,
}

impl State {
    /// `deliver` puts events into functions' queues, `keep` files into buckets.
    pub fn new(
        store: Store,
        telemetry: Arc<Telemetry>,
        deliver: Deliver,
        keep: Keep,
        entropy: fn() -> u128,
    ) -> Result<State, pitbird_store::Error> {
        let filters = Arc::new(Filters::open(&store)?);
        let queries = queries::Queries::default();
        Ok(State { store, telemetry, deliver, keep, filters, sessions: Arc::default(), queries, entropy })
    }
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("logs", state)).build()
}

#[cfg(test)]
mod tests;
