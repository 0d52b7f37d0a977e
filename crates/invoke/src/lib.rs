//! The only door by which a function version runs: environments, their life cycle, Runtime API, concurrency, async queue.

mod clock;
mod code;
mod concurrency;
mod config;
mod environment;
mod fault;
mod invocation;
mod invoker;
mod lines;
mod measure;
mod parts;
mod pool;
mod queue;
mod runtime;
mod runtime_api;

pub use code::CodeError;
pub use code::archive::{ZipError, ZipFacts, check_zip};
pub use concurrency::Throttle;
pub use config::{Config, EventPolicy, Limits};
pub use invocation::{Invocation, Outcome, Refused};
pub use invoker::{Invoker, StartError};
pub use measure::{Counts, LiveCounts};
pub use queue::{Event, Unqueued};
pub use runtime::{RuntimeError, RuntimeReport, Served, runtime_version_arn, runtimes};
