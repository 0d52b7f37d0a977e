//! The binary `pitbird`: the composition root.
//!
//! It reads the command line, builds the parts (`serve`), stops them in order, and tells the story (`demo`). What talks
//! to a running server is the `cli` crate's. The same binary is also its own sandbox spawner and the demo's function.

mod admin;
mod alarm_actions;
mod demo;
mod deployments;
mod dispatch;
mod export;
mod http2;
mod inside;
mod integrated;
mod keep_alive;
mod listen;
mod listener;
mod process;
mod raw_head;
mod received;
mod rollout_hooks;
mod runtimes;
mod serve;
mod services;
mod tls;
mod trials;
mod usage;
mod user_pools;
mod usual;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use pitbird_cli::{Cli, Command};
use tracing_subscriber::EnvFilter;

/// Every request's buffers are allocated on one thread and often freed on another, which costs glibc's allocator a sixth of a
/// request's user time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a command that was used wrongly.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // Before anything else: the spawner must stay small, and a function must not start a server.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == pitbird_sandbox::SPAWNER_ARGUMENT) {
        pitbird_sandbox::spawner_main();
    }
    if demo::is_function() {
        return demo::function_main();
    }
    let cli = Cli::from_command_line();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pitbird: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    // Where the host gives huge pages to whoever doesn't ask, a heap of 3 MB would take ten times that. Memory is all that is lost if
    // it can't be.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let inherited = listener::inherited()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match cli.command {
        Command::Serve(options) => {
            if let Err(error) = log_to_stderr(&options.log) {
                eprintln!("pitbird: {error}");
                return Ok(ExitCode::from(USAGE));
            }
            runtime.block_on(serve::run(&options, inherited))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(options) => {
            log_to_stderr("error")?;
            runtime.block_on(demo::run(&options, cli.output))
        }
        Command::Client(command) => {
            Ok(runtime.block_on(pitbird_cli::run(command, cli.output, &cli.server, runtimes::found)))
        }
    }
}

fn log_to_stderr(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| anyhow!("--log {filter:?}: {error}"))?;
    // Colours are for people.
    let is_seen = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_seen).init();
    Ok(())
}
