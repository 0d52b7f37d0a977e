//! Lambda: its operations, no HTTP.
//!
//! [`service`] hangs the operations in, one file each under `operations`. An operation reads records, lets a pure module
//! decide and writes records back in one transaction: `target` is what a name and a qualifier mean, `settings` what a
//! function may be, `layer` what layers it may have, `provisioned` what is
//! kept ready, `routing` what an alias may point to, `policy` who may be let in, `url` who may have one. `view` is what callers get to see,
//! `error` what they are told when something fails, in Lambda's words. New code is made ready in the background
//! (`preparation`), and until it is, the old goes on serving.
//!
//! Code comes in the call, or from a bucket whose records and blobs `source` reads; `location` is where callers get it back.
//!
//! What the data plane can't obey yet (images, VPCs, file systems, dead letters, SnapStart) is refused by name.
//! Nothing here speaks HTTP, runs a function or looks into another service.

mod code;
mod concurrency;
mod error;
mod event_invoke_config;
mod find;
mod invocation;
mod layer;
mod location;
mod operations;
mod page;
mod policy;
mod preparation;
mod provisioned;
mod publishing;
mod revision;
mod role;
mod routing;
mod run;
mod settings;
mod source;
mod tags;
mod target;
mod update;
mod url;
mod view;

use std::sync::Arc;

use pitbird_service::{Builder, Service};
use pitbird_store::Store;

pub use error::Error;
pub use location::{Locations, PATH as CODE_PATH, Unopened};
use preparation::Preparations;
pub use run::{Answer, Run};
use target::Target;

/// A source of random bits, for identifiers.
pub type Entropy = fn() -> u128;

/// What the operations work with.
pub struct State {
    store: Store,
    run: Arc<dyn Run>,
    entropy: Entropy,
    preparations: Preparations,
    locations: Arc<Locations>,
}

impl State {
    /// Needs a tokio runtime: what an earlier process left pending is taken up at once.
    pub fn new(store: Store, run: Arc<dyn Run>, entropy: Entropy) -> Result<State, Error> {
        let preparations = Preparations::new(store.clone(), run.clone(), entropy);
        preparations.resume()?;
        let locations = Arc::new(Locations::new(store.clone(), entropy));
        Ok(State { store, run, entropy, preparations, locations })
    }

    /// Waits until all code that is being prepared is ready; what is started meanwhile isn't waited for.
    pub async fn finish(&self) {
        self.preparations.finish().await;
    }

    /// What opens the URLs of code that the operations answer with.
    pub fn locations(&self) -> Arc<Locations> {
        self.locations.clone()
    }

    /// A number in [0, 1).
    fn draw(&self) -> f64 {
        const BITS: u32 = f64::MANTISSA_DIGITS;
        ((self.entropy)() >> (u128::BITS - BITS)) as f64 / (1_u64 << BITS) as f64
    }

    fn revision(&self) -> String {
        pitbird_names::uuid((self.entropy)())
    }
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("lambda", state)).build()
}

#[cfg(test)]
mod tests;
