//! Releases on AWS itself: the same file and the same flags, carried out by the program `pitbird-aws`, which brings AWS's own SDK
//! along. This program reads and checks the file, and makes the plan.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::{order, plan};
use crate::arguments::{
    Output, Place, PlaceOptions, ReasonOptions, RolloutCommand, ServerOptions, StartOptions,
};
use crate::failure::Failure;

const PROGRAM: &str = "pitbird-aws";
/// What `--endpoint-url` is where nobody says anything.
const USUAL_ENDPOINT: &str = "http://127.0.0.1:4566";

/// Is this about a release on AWS? What is for AWS alone is refused elsewhere.
pub fn is_meant(command: &RolloutCommand) -> Result<bool, Failure> {
    let Some(place) = command.place() else { return Ok(false) };
    if place.target == Place::Aws {
        return Ok(true);
    }
    let only_there = match command {
        RolloutCommand::Start(options) => {
            let given = [
                ("--dry-run", options.dry_run),
                ("--take-over", options.take_over),
                ("--metrics-lag", options.metrics_lag.is_some()),
            ];
            given.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
        }
        _ => None,
    };
    match only_there.or(place.journal.is_some().then_some("--journal")) {
        Some(name) => Err(Failure::usage(format!("{name} goes with --target aws only"))),
        None => Ok(false),
    }
}

/// Lets `pitbird-aws` do it; its exit code is the answer.
pub async fn run(command: &RolloutCommand, output: Output, server: &ServerOptions) -> Result<u8, Failure> {
    let (words, order): (Vec<OsString>, Option<String>) = match command {
        RolloutCommand::Start(options) => (start(options), Some(ordered(options)?)),
        RolloutCommand::Status(options) => (named("status", &options.name, None), None),
        RolloutCommand::Pause(options) => (reasoned("pause", options), None),
        RolloutCommand::Resume(options) => (reasoned("resume", options), None),
        RolloutCommand::Abort(options) => (reasoned("abort", options), None),
        RolloutCommand::Promote(options) => (named("promote", &options.name, Some(&options.reason)), None),
        _ => return Err(Failure::usage("this can't be done on AWS")),
    };
    let mut program = program()?;
    program.args(common(command.place(), output)).args(words);
    surroundings(&mut program, server);
    let status =
        done(program, order).await.map_err(|error| Failure::new(format!("{PROGRAM} failed: {error}")))?;
    // Ended by a signal: as shells tell it.
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    let code = status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(1);
    Ok(u8::try_from(code).unwrap_or(1))
}

fn ordered(options: &StartOptions) -> Result<String, Failure> {
    let input = order::start_input(options)?;
    let plan = plan::of(&input)?;
    Ok(json!({"Input": input, "Plan": plan}).to_string())
}

fn start(options: &StartOptions) -> Vec<OsString> {
    let flags = [("--dry-run", options.dry_run), ("--take-over", options.take_over)];
    let flags = flags.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name.into());
    let lag = options.metrics_lag.map(|lag| format!("--metrics-lag-ms={}", lag.as_millis()).into());
    std::iter::once("start".into()).chain(flags).chain(lag).collect()
}

fn reasoned(what: &str, options: &ReasonOptions) -> Vec<OsString> {
    named(what, &options.name, options.reason.as_deref())
}

fn named(what: &str, name: &str, reason: Option<&str>) -> Vec<OsString> {
    let reason = reason.map(|reason| format!("--reason={reason}").into());
    [what.into()].into_iter().chain(reason).chain(["--".into(), name.into()]).collect()
}

/// Stands before the words, where a name can't be taken for a flag.
fn common(place: Option<&PlaceOptions>, output: Output) -> Vec<OsString> {
    let journal = place.and_then(|place| place.journal.as_ref());
    let journal = journal.map(|folder| [OsString::from("--journal"), folder.into()]);
    let json = (output != Output::Table).then(|| OsString::from("--json"));
    journal.into_iter().flatten().chain(json).collect()
}

/// What was said on the command line goes along; everything else AWS's SDK finds by itself.
fn surroundings(program: &mut Command, server: &ServerOptions) {
    if server.endpoint_url != USUAL_ENDPOINT {
        program.env("AWS_ENDPOINT_URL", &server.endpoint_url);
    }
    if let Some(region) = &server.region {
        program.env("AWS_REGION", region);
    }
}

async fn done(mut program: Command, order: Option<String>) -> std::io::Result<ExitStatus> {
    program.stdin(if order.is_some() { Stdio::piped() } else { Stdio::null() });
    // A terminal interrupts both; how it ends is the other's to say.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let mut child = program.spawn()?;
    if let (Some(order), Some(mut stdin)) = (order, child.stdin.take()) {
        // It may have refused its arguments already, and says so itself.
        let _is_read = stdin.write_all(order.as_bytes()).await;
    }
    loop {
        tokio::select! {
            status = child.wait() => return status,
            _ = interrupts.recv() => {}
            // Whoever ends this program means the other.
            _ = terminations.recv() => {
                let child = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
                if let Some(child) = child {
                    let _it_has_ended = rustix::process::kill_process(child, rustix::process::Signal::TERM);
                }
            }
        }
    }
}

/// The program, beside this one or in the path.
fn program() -> Result<Command, Failure> {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(PROGRAM)));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&paths).map(|folder| folder.join(PROGRAM));
    let found: Option<PathBuf> = beside.into_iter().chain(in_path).find(|path| Path::is_file(path));
    found.map(Command::new).ok_or_else(|| {
        Failure::new(format!(
            "{PROGRAM} is neither beside this program nor in PATH; a release on AWS needs it"
        ))
        .hint("cargo build --release -p pitbird-aws")
    })
}
