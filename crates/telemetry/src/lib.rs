//! Keeps and queries logs and metrics; evaluates alarms.
//!
//! Three things meet here. The data plane measures and logs without waiting: [`Probe`](metrics::Probe) and
//! [`LogStream`](logs::LogStream) write into memory that no two cores share. One thread, the writer, moves that memory
//! to SQLite files a few times a second and files what callers put, which is durable when they are told so. Readers
//! ask the writer to catch up and then read the files, so that they see everything that happened before they asked.
//! What was used by whom, month by month, falls off on the way ([`usage`]). What a rollout tries is counted in memory alone, as
//! long as it is tried ([`tally`]). Alarms ([`alarm`]) are arithmetic on datapoints: no clock, no file.
//!
//! It knows no service, no store and no HTTP. Who may read what, which groups exist and how long they keep their events
//! is for callers to say; everything is told apart by account and region ([`Scope`](pitbird_names::Scope)).
//!
//! Many events at once are looked through by [`Telemetry::scan`], with all cores and a few blocks in memory.
//!
//! Start at [`Telemetry`]. Files: `metrics/series.db`, `metrics/2025-11-23.db`, `logs/streams.db`,
//! `logs/2025-11-23.db`, `usage.db`, and `lock`.

pub mod alarm;
mod code;
mod day;
mod error;
pub mod logs;
pub mod metrics;
mod sqlite;
pub mod tally;
mod telemetry;
pub mod usage;
mod writer;

pub use error::Error;
pub use telemetry::{Config, Durability, Telemetry};
