//! The Telemetry API, version 2022-07-01: extensions that subscribe are sent what the log has, and the platform's events, as JSON to a
//! listener of theirs inside the sandbox.
//!
//! [`subscription`] says what may be asked for, [`relay`] what is kept for whom and when it is due; [`deliver`] sends it.

pub mod deliver;
pub mod relay;
pub mod subscription;

pub use relay::{Relay, Subscriber};
pub use subscription::Subscription;
