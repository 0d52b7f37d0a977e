//! The Runtime API, version 2018-06-01, as one environment's process sees it.

mod forward;
pub mod machine;
mod serve;

pub use serve::{event, serve};
