//! What can be said on the command line.

mod members;
mod reading;
mod rollout;
mod runtimes;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pitbird_names::Month;
use pitbird_sandbox::Level;

use crate::quantity;

pub use reading::{MetricsCommand, MetricsListOptions, MetricsShowOptions, QueryOptions, TopOptions};
pub use rollout::{
    HistoryOptions, Moved, Place, PlaceOptions, PlanOptions, ReasonOptions, RolloutCommand, StartOptions,
    WatchOptions,
};
pub use runtimes::{RuntimeOptions, RuntimeProgram};

/// Run AWS-style APIs and functions from one binary, and let every release prove itself on a slice of traffic
#[derive(Debug, Parser)]
#[command(name = "pitbird", version, propagate_version = true, disable_help_subcommand = true)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// How to print data
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    #[command(flatten)]
    pub server: ServerOptions,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What this process was told. Where that makes no sense, or help was asked for, says so and ends the process.
    pub fn from_command_line() -> Cli {
        let words: Vec<OsString> = std::env::args_os().collect();
        members::parsed(&words).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// JSON documents
    Json,
    /// Aligned columns for people
    Table,
    /// One value a line, `path<TAB>value`, for scripts
    Text,
}

/// Which server to talk to, and as whom. Keys come from the environment alone.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server to talk to")]
pub struct ServerOptions {
    /// Where it listens
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:4566")]
    #[arg(env = "AWS_ENDPOINT_URL", hide_env_values = true)]
    pub endpoint_url: String,
    /// Region to act in; else AWS_DEFAULT_REGION, else us-east-1
    #[arg(long, global = true, env = "AWS_REGION", hide_env_values = true)]
    pub region: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve APIs and functions until told to stop
    Serve(ServeOptions),
    /// See a bad release caught and a good one promoted, in under a minute
    Demo(DemoOptions),
    #[command(flatten)]
    Client(ClientCommand),
}

/// The commands that [`crate::run`] runs.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Start releases that prove themselves, watch them and step in
    #[command(subcommand)]
    Rollout(RolloutCommand),
    /// Watch what goes on: releases, functions and their errors, the end of the log
    Top(TopOptions),
    /// Read what functions and gateways wrote
    #[command(subcommand)]
    Logs(LogsCommand),
    /// List metrics and plot them
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// Say what was used in a month, and what that would cost on AWS
    Usage(UsageOptions),
    /// Call any operation of any service, or list what there is
    Api(ApiOptions),
    /// Say what this host can do: isolation, runtimes, port
    Doctor(DoctorOptions),
    /// Print a shell's completions
    Completions(CompletionsOptions),
}

#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:4566", value_parser = address, env = "PITBIRD_LISTEN", hide_env_values = true)]
    pub listen: SocketAddr,
    /// Folder that keeps all state
    #[arg(long, default_value = "pitbird-data", env = "PITBIRD_DATA_DIR", hide_env_values = true)]
    pub data_dir: PathBuf,
    /// File of access keys, `ACCESS_KEY_ID SECRET_ACCESS_KEY [ACCOUNT]` a line; with it every call must be signed
    #[arg(long, env = "PITBIRD_KEYS", hide_env_values = true)]
    pub keys: Option<PathBuf>,
    /// Keys of a Cognito user pool (a JSON Web Key Set), for REST and HTTP APIs that take its tokens; without them they are
    /// fetched from the pool. May be given several times
    #[arg(
        long,
        value_name = "POOL_ID=FILE",
        value_delimiter = ',',
        env = "PITBIRD_USER_POOL_KEYS",
        hide_env_values = true
    )]
    pub user_pool_keys: Vec<String>,
    /// How fast all REST and HTTP APIs of an account may be called in a region: requests a second, and how many at once. AWS has
    /// 10000,5000; unless it is given there is no such bound
    #[arg(
        long,
        value_name = "RATE,BURST",
        value_parser = AccountThrottle::parse,
        env = "PITBIRD_ACCOUNT_THROTTLE",
        hide_env_values = true
    )]
    pub account_throttle: Option<AccountThrottle>,
    /// How many invocations a second the functions of an account that reserve no concurrency may begin in a region, together. Lambda
    /// has 10000, ten for each that may run at once; unless it is given there is no such bound
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(1..), env = "PITBIRD_ACCOUNT_INVOCATIONS",
          hide_env_values = true)]
    pub account_invocations: Option<u32>,
    /// Certificate chain (PEM) to show who connects with TLS; without one, certificates are made by an authority of this
    /// server's own, whose certificate is in the data folder: `tls/authority.pem`
    #[arg(long, requires = "tls_key", env = "PITBIRD_TLS_CERTIFICATE", hide_env_values = true)]
    pub tls_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate
    #[arg(long, requires = "tls_certificate", env = "PITBIRD_TLS_KEY", hide_env_values = true)]
    pub tls_key: Option<PathBuf>,
    /// Refuse to start where functions would be isolated less strongly: process, landlock, "namespaces user" or
    /// "namespaces root"
    #[arg(long, default_value = "process", value_parser = level, env = "PITBIRD_MINIMUM_ISOLATION", hide_env_values = true)]
    pub minimum_isolation: Level,
    #[command(flatten)]
    pub runtimes: RuntimeOptions,
    /// Interpreters of Python and Node that are started ahead, of each kind that functions use, for a quicker first
    /// response; 0 to 16, some 8 MB each
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=16), env = "PITBIRD_PARKED",
          hide_env_values = true)]
    pub parked: u32,
    /// How much CPU functions get once they have started: all there is, or in proportion to their memory as on Lambda,
    /// where 1769 MB is one CPU
    #[arg(long, value_enum, default_value_t = CpuShare::Full, env = "PITBIRD_CPU_SHARE", hide_env_values = true)]
    pub cpu_share: CpuShare,
    /// How far functions may reach beside AWS: nowhere, the public internet, or private networks too; never this host
    #[arg(long, value_enum, default_value_t = Egress::None, env = "PITBIRD_EGRESS", hide_env_values = true)]
    pub egress: Egress,
    /// Sockets of this host that all functions together may have for what they send outside, 1 to 65536; one alone gets half of them at most.
    /// Connections among them take up to 128 KiB of memory each
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=65_536), env = "PITBIRD_EGRESS_SOCKETS",
          hide_env_values = true)]
    pub egress_sockets: u32,
    /// OpenTelemetry collector that gets traces, metrics and logs over OTLP/HTTP, as in `http://127.0.0.1:4318`; without it
    /// the standard variables say (OTEL_EXPORTER_OTLP_ENDPOINT and others)
    #[arg(long, value_name = "URL", env = "PITBIRD_OTLP_ENDPOINT", hide_env_values = true)]
    pub otlp_endpoint: Option<String>,
    /// Which part of the requests is traced of those that come without a decision, 0 to 1; all where traces go anywhere, if
    /// OTEL_TRACES_SAMPLER doesn't say otherwise
    #[arg(long, value_name = "RATE", value_parser = quantity::share, env = "PITBIRD_TRACE_SAMPLE", hide_env_values = true)]
    pub trace_sample: Option<f64>,
    /// For tests: divides the waits of CodeDeploy's deployments (intervals, an hour for hooks, looks at alarms), 1 to 3600; every
    /// deployment tells that it was so
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = time_scale, env = "PITBIRD_TIME_SCALE",
          hide_env_values = true)]
    pub time_scale: f64,
    /// Prices that rollouts reckon their canaries' cost with, instead of those of us-east-1 that come with the program (see pitbird
    /// usage --print-prices)
    #[arg(long, value_name = "FILE", env = "PITBIRD_PRICES", hide_env_values = true)]
    pub prices: Option<PathBuf>,
    /// For measuring what it costs: takes no metrics and no log lines of requests and invocations, which rollouts and alarms need
    #[arg(long, hide = true)]
    pub without_telemetry: bool,
    /// What to write to standard error, as in `info` or `pitbird=debug`
    #[arg(long, default_value = "warn", env = "PITBIRD_LOG", hide_env_values = true)]
    pub log: String,
}

/// Reads an address to listen on; `localhost` is the one of IPv4, as everywhere else here.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let numbers = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address = numbers.as_deref().unwrap_or(text).parse();
    address.map_err(|_| "an address and a port, such as 127.0.0.1:4566, [::1]:4566 or localhost:4566")
}

/// Reads the name of an isolation level.
fn level(text: &str) -> Result<Level, &'static str> {
    Level::parse(text).ok_or("there are process, landlock, \"namespaces user\" and \"namespaces root\"")
}

/// Reads what waits are divided by.
fn time_scale(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (1.0..=3600.0).contains(factor));
    factor.ok_or_else(|| "a number from 1 to 3600".to_owned())
}

/// How fast an account may be called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccountThrottle {
    /// Requests a second, more than 0.
    pub rate: f64,
    /// Requests at once, 1 or more.
    pub burst: u32,
}

impl AccountThrottle {
    /// Reads `RATE,BURST`.
    fn parse(text: &str) -> Result<AccountThrottle, String> {
        let wanted = "two numbers above 0 as in 10000,5000";
        let (rate, burst) = text.split_once(',').ok_or(wanted)?;
        let rate = rate.trim().parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
        let burst = burst.trim().parse().ok().filter(|burst| *burst > 0);
        let throttle = rate.zip(burst).map(|(rate, burst)| AccountThrottle { rate, burst });
        throttle.ok_or_else(|| wanted.to_owned())
    }
}

/// How much CPU functions get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CpuShare {
    Full,
    ByMemory,
}

/// How far functions may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Egress {
    None,
    Public,
    Networks,
}

#[derive(Debug, Args)]
pub struct DemoOptions {
    /// Plain lines (or JSON) instead of the live view
    #[arg(long)]
    pub headless: bool,
    /// Port to serve on; 4566 if it is free, else any
    #[arg(long)]
    pub port: Option<u16>,
    /// Seed of the traffic
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
}

#[derive(Debug, Subcommand)]
pub enum LogsCommand {
    /// Print a log group's events in the order of their time
    Tail(TailOptions),
    /// Run a query of CloudWatch Logs Insights and print its rows when it has ended
    Query(QueryOptions),
}

#[derive(Debug, Args)]
pub struct TailOptions {
    /// Log group, as in /aws/lambda/app
    pub group: String,
    /// Go on printing events as they come, until interrupted
    #[arg(long, short)]
    pub follow: bool,
    /// Only events that match this CloudWatch filter pattern
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
    /// How far back to begin
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = quantity::duration)]
    pub since: Duration,
    /// How a line looks in a table
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LineFormat::Detailed)]
    pub format: LineFormat,
}

/// How an event is shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LineFormat {
    /// Time, stream and message
    Detailed,
    /// Time of day and message
    Short,
    /// As detailed, messages that are JSON laid out over several lines
    Json,
}

#[derive(Debug, Args)]
pub struct UsageOptions {
    /// Month in UTC, as in 2026-11; without it this month so far
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    pub month: Option<Month>,
    /// Whom to tell apart
    #[arg(long, value_enum, value_name = "GROUP")]
    pub by: Option<UsageGroup>,
    /// Prices to reckon with, instead of those of us-east-1 that come with the program (see --print-prices)
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Take off what AWS's free tier gives each month without an end
    #[arg(long)]
    pub free_tier: bool,
    /// Print the prices that come with the program, to be edited, and nothing else
    #[arg(long, conflicts_with_all = ["month", "by", "prices", "free_tier"])]
    pub print_prices: bool,
}

/// What usage is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UsageGroup {
    Api,
    Stage,
    /// Base and canary of each stage
    Canary,
    Function,
    Version,
    LogGroup,
    /// Namespace of custom metrics
    Namespace,
}

fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "a month is written as in 2026-11".to_owned())
}

#[derive(Debug, Args)]
pub struct ApiOptions {
    /// Service, as in apigateway, lambda or rollouts; without one, services are listed
    pub service: Option<String>,
    /// Operation, as in create-function or CreateFunction; without one, the service's are listed
    pub operation: Option<String>,
    /// Its input as JSON, @FILE with it, or - to read it from standard input; in it, blobs are base64, @FILE or JSON
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub input: String,
    /// How long the answer may take
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = quantity::duration)]
    pub timeout: Duration,
}

#[derive(Debug, Args)]
pub struct DoctorOptions {
    /// Address that `serve` would listen on
    #[arg(long, default_value = "127.0.0.1:4566", value_parser = address, env = "PITBIRD_LISTEN", hide_env_values = true)]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub runtimes: RuntimeOptions,
}

#[derive(Debug, Args)]
pub struct CompletionsOptions {
    pub shell: Shell,
}

#[cfg(test)]
mod tests;
