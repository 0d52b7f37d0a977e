//! CloudWatch metrics and alarms: operations, no HTTP.
//!
//! [`service`] hangs the operations in, one file each under `operations`. Metrics are telemetry's: `datum` turns what
//! callers put into samples, [`query`] what they ask into reads: a [`Plan`](query::Plan) of queries, metrics and metric math over them,
//! is checked once and evaluated over any span of time. Alarms are records: `alarm` says what may be set and moves
//! an alarm from state to state, `evaluator` ([`start_evaluator`]) does so on the clock, by telemetry's arithmetic, over the `watchlist`,
//! which keeps each rule compiled as long as its record stays the same; [`State::alarm_states`] tells other parts of the process how alarms stand.
//!
//! A composite alarm follows from others in the same commit (`alarm/composite`). What a change of state sets going is written down
//! with it and carried out by the `actor` ([`start_actor`]) through [`Act`], which the server hangs in.
//!
//! Metric alarms hold one metric, or what metric math makes of several, against a static threshold or against a band of expected
//! values, which `anomaly` learns from their past. Alarms on several series and metric streams are refused by name.

mod actor;
mod alarm;
mod anomaly;
mod dashboard;
mod datum;
mod error;
mod evaluator;
mod exposition;
mod operations;
mod page;
pub mod query;
mod shape;
mod tags;
mod watchlist;
mod widget;

use std::sync::Arc;

use pitbird_service::{Builder, Service};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;

pub use actor::{Act, Actor, Deed, Done, start_actor};
pub use alarm::{Action, Standing};
pub use error::Error;
pub use evaluator::{Due, Evaluator, start_evaluator, step};
pub use exposition::{Format, Process, exposition};
use watchlist::Watchlist;

/// What the operations work with.
pub struct State {
    pub store: Store,
    pub telemetry: Arc<Telemetry>,
    /// One evaluation at a time.
    watchlist: tokio::sync::Mutex<Watchlist>,
    models: anomaly::Models,
    tally: alarm::Tally,
}

impl State {
    pub fn new(store: Store, telemetry: Arc<Telemetry>) -> State {
        State {
            store,
            telemetry,
            watchlist: tokio::sync::Mutex::default(),
            models: anomaly::Models::default(),
            tally: alarm::Tally::default(),
        }
    }

    /// Reads much from the store on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, pitbird_store::Error> + Send + 'static,
    ) -> Result<T, pitbird_store::Error> {
        let store = self.store.clone();
        // Cancelled only when the runtime ends.
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(|_| pitbird_store::Error::Closed)?
    }
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("cloudwatch", state)).build()
}

#[cfg(test)]
mod tests;
