//! Real functions in real sandboxes, through the door that everybody uses.
//!
//! Each test opens a door of its own. Where the host lacks an interpreter, the test says so and passes.

#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

mod bench;
mod chosen;
mod concurrency;
mod cpu_share;
mod custom;
mod events;
mod extensions;
mod faults;
mod frozen;
mod go;
mod layers;
mod logs;
mod metrics;
mod node;
mod parked;
mod provisioned;
mod python;
mod streaming;
mod telemetry;
mod usage;
mod wire;
