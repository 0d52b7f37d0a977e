//! The Runtime API, version 2018-06-01, as one environment's process sees it.

mod forward;
pub mod machine;
mod serve;

pub use serve::{accepted, event, json, not_here, refuse, serve, trace_of};
