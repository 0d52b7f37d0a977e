//! Durable tables with one writer; a commit returns when the new snapshot is live.
//!
//! Records lie as JSON in one SQLite file, `pitbird.db`, beside `blobs/`, the code that functions run, each file under
//! the SHA-256 of its content. One process holds the directory. All changes run on one thread, which gathers those that
//! wait, runs each in a savepoint of its own inside one transaction, compiles the next snapshot from what the
//! transaction sees, commits with an fsync, makes the snapshot live, and only then answers. So whoever got an `Ok`
//! finds his write on the disk, in every read and in every request that starts afterwards.
//!
//! Reads use connections of their own and never wait for the writer. Nothing here knows what a record means, and
//! nothing outside changes durable state.
//!
//! Start at [`Store`], then [`Transaction`]; [`Error`] says what may go wrong.

mod blobs;
mod error;
mod live;
mod lock;
mod readers;
mod records;
mod rows;
mod schema;
mod store;
mod transaction;
mod writer;

pub use blobs::Removed;
pub use error::{Conflict, Error, OpenError};
pub use records::Records;
pub use rows::Versioned;
pub use store::Store;
pub use transaction::{ABSENT, Transaction};

/// A record's longest JSON, bytes. A deployment with 300 resources stays below 1 MiB.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
