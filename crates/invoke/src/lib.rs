//! The only door by which a function version runs: environments, their life cycle, Runtime API, concurrency, async queue.
//!
//! ```text
//! Invoker::invoke ─ resolve ─ permit ─ pool ── idle ──→ environment ── next ──→ process ── response ──→ Outcome
//!                                        └─ waiting ─→ first free or new one
//! Invoker::invoke_streaming, the same way ──── pieces as the function writes them ──→ Answer
//! Invoker::enqueue ─ store ─ due ─→ Invoker::invoke ─→ forgotten, tried again, dropped
//! ```
//!
//! A version's `pool` lives in the version's slot of the snapshot and ends with it: new code gets new environments,
//! the old ones end what they run. An `environment` is one sandboxed process behind a Runtime API of its own,
//! with one invocation at a time; interpreters for the next ones wait in the `parking`. Nothing on an invocation's way is shared by all functions but a few counters. How many
//! environments a version starts is arithmetic (`pool::scale`), and so is what the Runtime API allows when
//! (`runtime_api::machine`), what extensions may (`extensions::machine`) and what becomes of a queued event (`queue::plan`).
//! Time limits are kept by the `timekeeper`.
//!
//! It knows no HTTP of callers, no AWS service and no permissions: refusals are facts ([`Refused`]) that others turn into
//! AWS's errors. SnapStart is not here.
//!
//! Start at [`Invoker`], then [`Invocation`] and [`Outcome`]; inside, at the environment.

mod aws;
mod clock;
mod code;
mod concurrency;
mod config;
mod cpu_share;
mod environment;
mod extensions;
mod fault;
mod invocation;
mod invoker;
mod lines;
mod measure;
mod parking;
mod parts;
mod pool;
mod provision;
mod queue;
mod rate;
mod runtime;
mod runtime_api;
mod stream;
mod telemetry_api;
mod timekeeper;
mod trace;

pub use aws::{Aws, Body, Credentials, Later};
pub use code::CodeError;
pub use code::archive::{ZipError, ZipFacts, check_zip};
pub use concurrency::Throttle;
pub use config::{Config, EventPolicy, Limits, PARKED_MAX, way_out};
pub use cpu_share::CpuShare;
pub use invocation::{Billed, Invocation, Outcome, Refused};
pub use invoker::{Invoker, StartError};
pub use measure::{Counts, LiveCounts};
pub use pitbird_egress::Reach;
pub use pool::{Alive, Provisioned};
pub use queue::{Event, Unqueued};
pub use runtime::{
    ChosenRuntime, RuntimeError, RuntimeReport, Served, check_chosen_runtimes, runtime_version_arn, runtimes,
};
pub use stream::{Answer, Piece, Pieces};
