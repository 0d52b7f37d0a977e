//! The Telemetry API, version 2022-07-01, and the Logs API, version 2020-08-15, which it took the place of: extensions that subscribe are sent what the log has, and the platform's events, as JSON to a
//! listener of theirs inside the sandbox, by HTTP or in lines over TCP.
//!
//! [`subscription`] says what may be asked for, [`relay`] what is kept for whom and when it is due; [`deliver`] sends it.

pub mod deliver;
pub mod logs_api;
pub mod relay;
pub mod subscription;

pub use relay::{Relay, Subscriber};
pub use subscription::{Api, Subscription};
