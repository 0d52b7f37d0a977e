//! The binary `pitbird-aws`: what `pitbird rollout … --target aws` runs. It reads the order that `pitbird` made of a rollout file from
//! standard input, and drives it.

mod dry;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use pitbird_aws::begin::{self, Error};
use pitbird_aws::cloud::Cloud;
use pitbird_aws::drive::{Driver, Stopped, now_ms, wall_clock};
use pitbird_aws::journal::{self, Journal, Wanted};
use pitbird_aws::minutes::LAG_MS;
use pitbird_aws::order::Order;
use pitbird_aws::run::Run;
use serde_json::json;

/// An order from standard input, bytes at most.
const ORDER_BYTES_MAX: u64 = 2 << 20;
const USAGE: u8 = 2;
const INTERRUPTED: u8 = 130;

/// Drive a release on AWS itself; `pitbird rollout start --target aws` runs this
#[derive(Debug, Parser)]
#[command(name = "pitbird-aws", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Folder in which rollouts are written down
    #[arg(long, global = true, value_name = "FOLDER", default_value = ".pitbird/rollouts")]
    journal: PathBuf,
    /// Print the ended rollout as JSON, and words to standard error
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the rollout that stands on standard input, or go on with it, and drive it to its end
    Start(StartOptions),
    /// Go on with a rollout that was interrupted
    Drive(NameOptions),
    /// Show where a rollout stands
    Status(NameOptions),
    /// Move no further until resumed; rollbacks still happen
    Pause(ReasonOptions),
    /// Go on after a pause, or open the gate that the rollout waits at
    Resume(ReasonOptions),
    /// Give all traffic back to the base
    Abort(ReasonOptions),
    /// Promote without waiting for evidence
    Promote(ReasonOptions),
}

#[derive(Debug, Args)]
struct StartOptions {
    /// Show what would be changed and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on from what stands on AWS where the journal is lost; evidence is gathered anew
    #[arg(long)]
    take_over: bool,
    /// After so long a minute's sums are taken as they are, milliseconds
    #[arg(long, value_name = "MS", default_value_t = LAG_MS)]
    metrics_lag_ms: u64,
}

#[derive(Debug, Args)]
struct NameOptions {
    name: String,
}

#[derive(Debug, Args)]
struct ReasonOptions {
    name: String,
    /// Why, for the record
    #[arg(long)]
    reason: Option<String>,
}

/// What happened, what to do about it, and the exit code.
struct Failure {
    what: String,
    hint: Option<String>,
    code: u8,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = if matches!(error, Error::Order(_)) { USAGE } else { 1 };
        let hint = match &error {
            Error::Taken { may_be_taken_over: true, .. } => Some(
                "it may still be driven elsewhere; where its journal is lost, --take-over goes on from what stands on AWS"
                    .to_owned(),
            ),
            Error::Taken { by, .. } => Some(format!("wait for it, or abort it: pitbird rollout abort --target aws {}", by.name)),
            _ => None,
        };
        Failure { what: error.to_string(), hint, code }
    }
}

impl From<journal::Error> for Failure {
    fn from(error: journal::Error) -> Failure {
        failure(error.to_string(), 1)
    }
}

fn failure(what: String, code: u8) -> Failure {
    Failure { what, hint: None, code }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(&cli)),
        Err(error) => Err(failure(format!("no runtime: {error}"), 1)),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(Failure { what, hint, code }) => {
            eprintln!("pitbird-aws: {what}");
            if let Some(hint) = hint {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(code)
        }
    }
}

async fn run(cli: &Cli) -> Result<u8, Failure> {
    match &cli.command {
        Command::Start(options) => start(cli, options).await,
        Command::Drive(options) => {
            let journal = Journal::new(&cli.journal, &options.name);
            let _lock = journal.lock()?;
            let run = load(&journal, &options.name)?;
            drive(cli, &journal, run, false).await
        }
        Command::Status(options) => {
            let run = load(&Journal::new(&cli.journal, &options.name), &options.name)?;
            told(cli, &run);
            Ok(0)
        }
        Command::Pause(options) => order(cli, options, Wanted::Pause).await,
        Command::Resume(options) => order(cli, options, Wanted::Resume).await,
        Command::Abort(options) => order(cli, options, Wanted::Abort).await,
        Command::Promote(options) => order(cli, options, Wanted::Promote).await,
    }
}

fn load(journal: &Journal, name: &str) -> Result<Run, Failure> {
    journal.load()?.ok_or_else(|| failure(format!("there is no rollout {name} in this folder"), 1))
}

async fn start(cli: &Cli, options: &StartOptions) -> Result<u8, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(ORDER_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| failure(format!("can't read the order: {error}"), USAGE))?;
    let order: Order = serde_json::from_str(&text).map_err(|error| {
        let hint = "`pitbird rollout start --target aws FILE` makes it of a rollout file".to_owned();
        Failure { hint: Some(hint), ..failure(format!("standard input has no order: {error}"), USAGE) }
    })?;
    let order = order.accept().map_err(Error::from)?;
    let name = order.name().map_err(Error::from)?.to_owned();
    let journal = Journal::new(&cli.journal, &name);
    let cloud = cloud().await?;
    if options.dry_run {
        let found = begin::find(&cloud, &order, options.metrics_lag_ms, now_ms()).await?;
        print(&dry::shown(&name, &order, &found));
        return Ok(0);
    }
    let _lock = journal.lock()?;
    let run = match begin::resumed(&journal, &order)? {
        Some(run) => run,
        None => {
            begin::begin(&cloud, &journal, order, (options.metrics_lag_ms, options.take_over), now_ms())
                .await?
        }
    };
    drive_with(cli, &cloud, &journal, run, options.take_over).await
}

/// An order is left for the process that drives the rollout; where there is none, this one does it.
async fn order(cli: &Cli, options: &ReasonOptions, wanted: Wanted) -> Result<u8, Failure> {
    let journal = Journal::new(&cli.journal, &options.name);
    let run = load(&journal, &options.name)?;
    if run.state.outcome().is_some() {
        return Err(failure(format!("rollout {} has ended: {}", run.name, run.reason), 1));
    }
    if wanted == Wanted::Promote && options.reason.is_none() {
        return Err(failure("--reason is needed: why does it need no evidence?".to_owned(), USAGE));
    }
    let by = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
    journal.order(&journal::Order { wanted, by, reason: options.reason.clone(), at_ms: now_ms() })?;
    match journal.lock() {
        Err(journal::Error::Taken(_)) => {
            eprintln!("the process that drives rollout {} will obey", options.name);
            Ok(0)
        }
        Err(error) => Err(error.into()),
        Ok(_lock) => {
            eprintln!("nobody drives rollout {}; this process does now", options.name);
            let run = load(&journal, &options.name)?;
            drive(cli, &journal, run, false).await
        }
    }
}

async fn cloud() -> Result<Cloud, Failure> {
    Cloud::from_environment().await.map_err(|words| failure(words, 1))
}

async fn drive(cli: &Cli, journal: &Journal, run: Run, take_over: bool) -> Result<u8, Failure> {
    drive_with(cli, &cloud().await?, journal, run, take_over).await
}

async fn drive_with(
    cli: &Cli,
    cloud: &Cloud,
    journal: &Journal,
    mut run: Run,
    take_over: bool,
) -> Result<u8, Failure> {
    if run.state.outcome().is_none() && !run.is_claimed {
        begin::claim(cloud, journal, &mut run, take_over).await?;
    }
    let is_json = cli.json;
    let mut say = |run: &Run, words: &str| {
        let line = format!("{}: {} %, {words}", run.name, run.state.weight().get());
        if is_json { eprintln!("{line}") } else { print(&format!("{line}\n")) }
    };
    let words = format!("{}: {}", run.target.shown(), run.reason);
    say(&run, &words);
    let mut driver = Driver::new(cloud, journal, run, &mut say, wall_clock());
    let stopped = driver.to_the_end(interrupted()).await?;
    let run = driver.run;
    match stopped {
        Stopped::Ended(code) => {
            if is_json {
                told(cli, &run);
            }
            Ok(code)
        }
        Stopped::Interrupted => {
            let (name, percent) = (&run.name, run.state.weight().get());
            eprintln!(
                "the rollout stands still and {percent} % of the traffic stay on the canary; nobody watches it now"
            );
            eprintln!(
                "hint: the same command goes on with it; `pitbird rollout abort --target aws {name}` gives all back to the base"
            );
            Ok(INTERRUPTED)
        }
    }
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _nobody = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn told(cli: &Cli, run: &Run) {
    if !cli.json {
        let (seen, left_out) = (run.state.seen(), run.left_out());
        let (name, percent, reason) = (&run.name, run.state.weight().get(), &run.reason);
        print(&format!("{name}: {percent} %, {reason}\n"));
        let (canary, base) = (seen.canary, seen.base);
        print(&format!(
            "  canary {} of {} requests failed, base {} of {}; {left_out} minutes left out\n",
            canary.events(),
            canary.requests(),
            base.events(),
            base.requests()
        ));
        return;
    }
    let document = json!({
        "Name": run.name,
        "Target": run.input["Target"],
        "Canary": run.input["Canary"],
        "Percent": run.state.weight().get(),
        "Outcome": run.state.outcome().map(|outcome| outcome.to_string()),
        "ExitCode": run.exit_code(),
        "Reason": run.reason,
        "Seen": run.state.seen(),
        "MinutesLeftOut": run.left_out(),
        "Deviations": run.plan.deviations(),
        "Shifts": run.shifts,
    });
    print(&format!("{document:#}\n"));
}

/// Whoever read standard output may have gone away; the rollout goes on.
fn print(text: &str) {
    let mut out = std::io::stdout();
    let _nobody_reads = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
