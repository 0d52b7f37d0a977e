//! What goes over the wire, and what it says.

pub mod alarms;
pub mod config;
pub mod deployment;
pub mod group;
pub mod revision;
pub mod rollback;
pub mod style;
pub mod tags;
pub mod target;
pub mod trigger;

/// Epoch seconds of epoch milliseconds.
pub fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
