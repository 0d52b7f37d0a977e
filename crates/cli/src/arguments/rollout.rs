use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use crate::quantity;

#[derive(Debug, Subcommand)]
pub enum RolloutCommand {
    /// Start a rollout from a file, from flags, or from a file with flags on top
    Start(Box<StartOptions>),
    /// Show what a rollout would do, how long it takes and what it would see; starts nothing
    Plan(PlanOptions),
    /// Print the JSON Schema of rollout files, for editors and checks
    Schema,
    /// Show where a rollout stands
    Status(NameOptions),
    /// Follow a rollout to its end; the exit code says how it ended
    #[command(after_help = EXIT_CODES)]
    Watch(WatchOptions),
    /// List all rollouts of a target, newest first: outcomes, who ordered what, and why
    History(HistoryOptions),
    /// List rollouts
    List(ListOptions),
    /// Move no further until resumed; rollbacks still happen
    Pause(ReasonOptions),
    /// Go on after a pause, or open the gate that the rollout waits at
    Resume(ReasonOptions),
    /// Give all traffic back to the base, now
    Abort(ReasonOptions),
    /// Promote without waiting for evidence
    Promote(PromoteOptions),
}

pub const EXIT_CODES: &str = "Exit codes: 0 promoted, 1 error, 2 usage, 10 rolled back, 11 aborted, 12 inconclusive, \
                              13 timed out, 130 interrupted (the rollout goes on)";

#[derive(Debug, Default, Args)]
#[command(disable_version_flag = true, after_help = START_HELP)]
#[command(group = ArgGroup::new("place").args(["rest_api", "function", "together"]))]
pub struct StartOptions {
    /// Rollout file, TOML, YAML or JSON; - reads it from standard input
    pub file: Option<PathBuf>,
    /// Name of the rollout; made from what is rolled out if there is none
    #[arg(long)]
    pub name: Option<String>,

    /// REST API whose stage gets the canary
    #[arg(long, value_name = "ID", requires = "stage", help_heading = "Stage canary")]
    pub rest_api: Option<String>,
    /// Stage
    #[arg(long, value_name = "NAME", requires = "rest_api", help_heading = "Stage canary")]
    pub stage: Option<String>,
    /// Deployment that the canary serves
    #[arg(long, value_name = "ID", conflicts_with = "function", help_heading = "Stage canary")]
    pub deployment: Option<String>,
    /// Stage variable that the canary sees instead of the stage's own; may be repeated
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair, conflicts_with = "function")]
    #[arg(help_heading = "Stage canary")]
    pub variables: Vec<(String, String)>,
    /// Keep clients with their release while it runs: header:NAME, cookie:NAME or source-address
    #[arg(long, value_name = "BY", conflicts_with_all = ["function", "together"], help_heading = "Stage canary")]
    pub sticky: Option<String>,

    /// Share of the base's requests that the canary gets as well while it runs, as in 20; both answers together are evidence
    #[arg(long, value_name = "PERCENT", value_parser = quantity::percent, conflicts_with_all = ["function", "together"])]
    #[arg(help_heading = "Stage canary")]
    pub mirror: Option<f64>,

    /// Function whose alias gets the new version
    #[arg(long, value_name = "NAME", requires = "alias", help_heading = "Weighted alias")]
    pub function: Option<String>,
    /// Alias
    #[arg(long, value_name = "NAME", requires = "function", help_heading = "Weighted alias")]
    pub alias: Option<String>,
    /// Version that the canary is
    #[arg(long, value_name = "NUMBER", conflicts_with = "rest_api", help_heading = "Weighted alias")]
    pub version: Option<String>,

    /// Functions of one API whose aliases are moved together, as in orders:live=7,carts:live=3
    #[arg(long, value_name = "FUNCTION:ALIAS=VERSION,...", value_delimiter = ',', value_parser = moved)]
    #[arg(conflicts_with_all = ["deployment", "variables", "version", "routes"], help_heading = "Several aliases")]
    pub together: Vec<Moved>,

    /// Percentages to go through
    #[arg(long, value_name = "PERCENT,...", value_delimiter = ',', value_parser = quantity::percent)]
    #[arg(help_heading = "Ramp")]
    pub steps: Vec<f64>,
    /// How long to stay at each step at least, one for all or one for each; the last step's is the bake
    #[arg(long, value_name = "DURATION,...", value_delimiter = ',', value_parser = quantity::duration)]
    #[arg(help_heading = "Ramp")]
    pub wait: Vec<Duration>,
    /// Steps that are left only after somebody resumes the rollout there
    #[arg(long = "gate", value_name = "PERCENT,...", value_delimiter = ',', value_parser = quantity::percent)]
    #[arg(help_heading = "Ramp")]
    pub gates: Vec<f64>,
    /// Let the weight rise by itself within each step, as fast as the evidence allows
    #[arg(long, help_heading = "Ramp")]
    pub ramp: bool,

    /// Judge latency too: the canary must not be slower
    #[arg(long, help_heading = "Rules")]
    pub latency: bool,
    /// Route that is judged by itself too, as in "GET /pets/{id}", or * for all; may be repeated
    #[arg(long = "route", value_name = "ROUTE", conflicts_with = "function", help_heading = "Rules")]
    pub routes: Vec<String>,
    /// Error rate that the canary may have at most, whatever the base does, as in 2%
    #[arg(long, value_name = "SHARE", value_parser = quantity::share, help_heading = "Guardrails")]
    pub max_error_rate: Option<f64>,
    /// Latency that a quantile of the canary may have at most, as in p99=800ms; may be repeated
    #[arg(long = "max-latency", value_name = "QUANTILE=DURATION", value_parser = quantity::ceiling)]
    #[arg(help_heading = "Guardrails")]
    pub max_latency: Vec<(f64, Duration)>,

    /// Difference of error rates that is still accepted, as in 0.5pp
    #[arg(long, value_name = "SHARE", value_parser = quantity::share, help_heading = "Rules")]
    pub margin: Option<f64>,
    /// Error rate that is accepted at 100 %, where nothing is left to compare with
    #[arg(long, value_name = "SHARE", value_parser = quantity::share, help_heading = "Rules")]
    pub budget: Option<f64>,
    /// Canary requests to be seen at each step
    #[arg(long, value_name = "COUNT", help_heading = "Rules")]
    pub min_requests: Option<u64>,
    /// Without enough evidence by then, the rollout ends inconclusive
    #[arg(long, value_name = "DURATION", value_parser = quantity::duration, help_heading = "Rules")]
    pub max_duration: Option<Duration>,
    /// How long a gate waits for somebody; then the rollout ends inconclusive
    #[arg(long, value_name = "DURATION", value_parser = quantity::duration, help_heading = "Rules")]
    pub gate_timeout: Option<Duration>,
    /// How often the server looks at the evidence
    #[arg(long, value_name = "DURATION", value_parser = quantity::duration, help_heading = "Rules")]
    pub interval: Option<Duration>,
    /// CloudWatch alarm that vetoes; may be repeated
    #[arg(long = "alarm", value_name = "NAME", help_heading = "Rules")]
    pub alarms: Vec<String>,

    /// Why, for the record
    #[arg(long)]
    pub reason: Option<String>,
    /// Follow it to its end; the exit code says how it ended
    #[arg(long)]
    pub watch: bool,

    #[command(flatten)]
    pub place: PlaceOptions,
    /// Show what would be changed on AWS and change nothing
    #[arg(long, help_heading = "On AWS")]
    pub dry_run: bool,
    /// Go on from what stands on AWS where the journal is lost; evidence is gathered anew
    #[arg(long, help_heading = "On AWS")]
    pub take_over: bool,
    /// After so long a minute's sums are taken as they are, for CloudWatch is late; else 3m
    #[arg(long, value_name = "DURATION", value_parser = quantity::duration, help_heading = "On AWS")]
    pub metrics_lag: Option<Duration>,
}

/// Where a release goes.
#[derive(Debug, Default, Args)]
pub struct PlaceOptions {
    /// Where the release goes: to the server, or to AWS itself, driven by this process and the program pitbird-aws
    #[arg(long = "target", value_enum, default_value_t, value_name = "WHERE")]
    pub target: Place,
    /// Folder in which rollouts on AWS are written down; else .pitbird/rollouts
    #[arg(long, value_name = "FOLDER", help_heading = "On AWS")]
    pub journal: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Place {
    #[default]
    Server,
    Aws,
}

const START_HELP: &str = "\
A rollout file has the members of StartRollout in lower case with underscores. Durations may be written
as text under the name without _ms, shares as \"0.5pp\", quantiles as \"p99\", and a step as its percentage
alone:

  name = \"checkout-2\"
  steps = [10, 50, { percent = 100, wait = \"10m\" }]
  wait = \"2m\"
  alarms = [\"checkout-5xx\"]
  routes = [\"*\"]
  [target.rest_stage]
  rest_api_id = \"a1b2c3d4e5\"
  stage_name = \"prod\"
  [canary]
  deployment_id = \"x9y8z7\"
  [rules]
  margin = \"0.5pp\"
  when_blind = \"hold\"
  [guardrails]
  error_rate = \"2%\"
  latency = [{ quantile = \"p99\", above = \"800ms\" }]

Flags win over the file.";

#[derive(Debug, Args)]
pub struct PlanOptions {
    /// Rollout file, TOML, YAML or JSON; - reads it from standard input
    pub file: PathBuf,
    /// Requests a second of base and canary together; without it nothing is foreseen
    #[arg(long, value_name = "PER SECOND", value_parser = quantity::rate)]
    pub rate: Option<f64>,
    /// Error rate of the base, as in 0.1%
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = quantity::share, requires = "rate")]
    pub base_errors: f64,
    /// Error rates of a faulty canary to be foreseen, as in 2%,10%; else some between the margin and 100 %
    #[arg(long, value_name = "SHARE,...", value_delimiter = ',', value_parser = quantity::share, requires = "rate")]
    pub canary_errors: Vec<f64>,
    /// Releases to simulate of each kind
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    #[arg(requires = "rate")]
    pub runs: u32,
    /// Seed of the simulation: the same seed foresees the same
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "rate")]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct NameOptions {
    /// Rollout
    pub name: String,
    #[command(flatten)]
    pub place: PlaceOptions,
}

#[derive(Debug, Args)]
pub struct ReasonOptions {
    /// Rollout
    pub name: String,
    /// Why, for the record
    #[arg(long)]
    pub reason: Option<String>,
    #[command(flatten)]
    pub place: PlaceOptions,
}

#[derive(Debug, Args)]
pub struct PromoteOptions {
    /// Rollout
    pub name: String,
    /// Why it needs no evidence, for the record
    #[arg(long)]
    pub reason: String,
    #[command(flatten)]
    pub place: PlaceOptions,
}

#[derive(Debug, Args)]
pub struct WatchOptions {
    /// Rollout
    pub name: String,
    /// How often to look
    #[arg(long, value_name = "DURATION", default_value = "500ms", value_parser = quantity::duration)]
    pub interval: Duration,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").args(["name", "rest_api", "function"]).required(true))]
pub struct HistoryOptions {
    /// Rollout whose target is meant
    pub name: Option<String>,
    /// REST API of a stage
    #[arg(long, value_name = "ID", requires = "stage")]
    pub rest_api: Option<String>,
    /// Stage
    #[arg(long, value_name = "NAME", requires = "rest_api")]
    pub stage: Option<String>,
    /// Function of an alias
    #[arg(long, value_name = "NAME", requires = "alias")]
    pub function: Option<String>,
    /// Alias
    #[arg(long, value_name = "NAME", requires = "function")]
    pub alias: Option<String>,
}

#[derive(Debug, Args)]
pub struct ListOptions {
    /// Only rollouts with this status
    #[arg(long, value_enum)]
    pub status: Option<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Status {
    InProgress,
    Paused,
    Promoted,
    RolledBack,
    Aborted,
    Inconclusive,
    TimedOut,
    Failed,
}

impl RolloutCommand {
    /// Where the release goes that this is about.
    pub fn place(&self) -> Option<&PlaceOptions> {
        match self {
            RolloutCommand::Start(options) => Some(&options.place),
            RolloutCommand::Status(options) => Some(&options.place),
            RolloutCommand::Pause(options)
            | RolloutCommand::Resume(options)
            | RolloutCommand::Abort(options) => Some(&options.place),
            RolloutCommand::Promote(options) => Some(&options.place),
            _ => None,
        }
    }
}

impl Status {
    /// The model's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::InProgress => "InProgress",
            Status::Paused => "Paused",
            Status::Promoted => "Promoted",
            Status::RolledBack => "RolledBack",
            Status::Aborted => "Aborted",
            Status::Inconclusive => "Inconclusive",
            Status::TimedOut => "TimedOut",
            Status::Failed => "Failed",
        }
    }
}

/// An alias that gets a new version beside others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub function: String,
    pub alias: String,
    pub version: String,
}

fn moved(text: &str) -> Result<Moved, String> {
    let parts = text.rsplit_once('=').and_then(|(alias, version)| Some((alias.rsplit_once(':')?, version)));
    let ((function, alias), version) = parts.ok_or("expected FUNCTION:ALIAS=VERSION")?;
    Ok(Moved { function: function.to_owned(), alias: alias.to_owned(), version: version.to_owned() })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
