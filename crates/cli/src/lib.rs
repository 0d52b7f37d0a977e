//! Talks to a running server from the command line.
//!
//! The binary parses [`Cli`], does `serve` and `demo` itself and hands every other command to [`run`]. Data goes to
//! standard output in the form that [`Output`] names, words go to standard error, and the exit code says how a rollout
//! ended. [`client`] is the way to the server for whoever wants to call it from Rust, [`aws_command`] says what a call
//! would look like with AWS's own tool, and [`watch`] draws a rollout.
//!
//! Nothing here knows a service: operations, members and protocols are the models'. It serves nothing and keeps nothing.

mod api;
mod arguments;
mod aws_command;
pub mod client;
mod doctor;
mod environment;
mod failure;
pub mod json;
mod logs;
mod metrics;
mod operation;
mod prices;
mod print;
mod quantity;
mod rollout;
mod run;
mod streams;
#[cfg(test)]
mod stub;
mod table;
pub mod terminal;
mod top;
mod usage;
pub mod watch;

pub use arguments::{
    AccountThrottle, ApiOptions, Cli, ClientCommand, Command, CompletionsOptions, CpuShare, DemoOptions,
    DoctorOptions, Egress, LogsCommand, MetricsCommand, MetricsListOptions, MetricsShowOptions, Output,
    QueryOptions, RolloutCommand, RuntimeOptions, RuntimeProgram, ServeOptions, ServerOptions, StartOptions,
    TailOptions, TopOptions, UsageOptions, WatchOptions,
};
pub use aws_command::aws_command;
pub use doctor::Runtime;
pub use failure::Failure;
pub use prices::{PricesError, read_prices};
pub use run::run;
