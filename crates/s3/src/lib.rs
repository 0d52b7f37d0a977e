//! S3: its operations, no HTTP. Enough for tools to bring code and files, and to have them back.
//!
//! [`service`] hangs the operations in, one file each under `operations`. A bucket and an object are records, an object's
//! bytes are a blob of the store: the content is durable before the record names it, so what was acknowledged is there
//! whole. Pure modules decide: `bucket_name`, `range`, `condition`, `tags`, and `listing` once it has its rows. What a
//! replaced or deleted object held is thrown away by the [`sweeper`](start_sweeper).
//!
//! Buckets have no versions, life cycles or ACLs; whoever asks how these are set is told AWS's defaults, and whoever
//! sets them is refused by name. Policies are taken that change nothing for whoever can call here, see `policy`. Every object says that it is encrypted with `AES256`, as all of AWS's do: here that is the
//! matter of the disk that the data directory lies on. Nothing here speaks HTTP or looks into another service.

mod assembly;
mod bucket_name;
mod checksum;
mod condition;
mod content;
mod copy_source;
mod error;
mod find;
mod listing;
mod object;
mod operations;
mod owner;
mod plain;
mod policy;
mod range;
mod reading;
mod settings;
mod sweep;
mod tags;

use std::sync::Arc;

use pitbird_service::{Builder, Service};
use pitbird_store::Store;
use tokio::sync::Semaphore;

pub use error::Error;
pub use sweep::{Sweeper, start_sweeper};

/// A source of random bits, for the ids of uploads.
pub type Entropy = fn() -> u128;

/// What the operations work with.
pub struct State {
    store: Store,
    entropy: Entropy,
    /// Room for contents that are held in memory until they are sent, MiB.
    room: Arc<Semaphore>,
}

impl State {
    pub fn new(store: Store, entropy: Entropy) -> State {
        State { store, entropy, room: Arc::new(Semaphore::new(content::ROOM_MIB)) }
    }
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("s3", state).refusing(error::refused)).build()
}

#[cfg(test)]
mod tests;
