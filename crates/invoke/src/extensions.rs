//! The Extensions API, version 2020-01-01: programs beside the runtime that are told when an environment starts, runs and ends.
//!
//! What extensions may ask for and when is decided in [`machine`], how an environment with extensions ends in [`wind_down`];
//! `crate::environment` acts.

pub mod machine;
pub mod wind_down;

/// Extensions of one function, external and internal together. Source: AWS's runtime interface emulator and Lambda's quotas.
pub const EXTENSIONS_MAX: usize = 10;
