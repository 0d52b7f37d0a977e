//! The story: a bad release is caught, a good one is promoted.
//!
//! Everything in it is real: a server of its own on a free port, functions in sandboxes, clients that go through the
//! gateway, AWS calls over HTTP, the rollouts service with its statistics. Only waits are shorter and the margin is wider
//! than a careful team would take, and the output says so.

mod function;
mod package;
mod report;
mod story;
mod teller;
mod traffic;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use pitbird_cli::{CpuShare, DemoOptions, Egress, Output, ServeOptions};

use crate::serve::Serving;
use teller::Teller;

/// The port that users of AWS emulators know.
const USUAL_PORT: u16 = 4566;

/// Is this process the demo's function, started by the Runtime API rather than by a person?
pub fn is_function() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() && std::env::args_os().len() == 1
}

/// Runs the function until its environment ends.
pub fn function_main() -> ExitCode {
    match function::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Tells the story; the exit code is 0 only if v2 was rolled back and v3 promoted.
pub async fn run(options: &DemoOptions, output: Output) -> Result<ExitCode> {
    let folder = tempfile::tempdir().context("can't make a folder for the demo's state")?;
    let serving = serve(options, folder.path().join("data")).await?;
    let mut teller = Teller::new(options.headless, output);
    let told = story::tell(&serving, options.seed, &mut teller).await;
    let stopped = serving.stop().await;
    let report = told?;
    stopped?;
    teller.end(&report);
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn serve(options: &DemoOptions, data_dir: PathBuf) -> Result<Serving> {
    let on = |port| ServeOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        data_dir: data_dir.clone(),
        keys: None,
        user_pool_keys: Vec::new(),
        account_throttle: None,
        account_invocations: None,
        tls_certificate: None,
        tls_key: None,
        minimum_isolation: pitbird_sandbox::Level::Process,
        runtimes: Default::default(),
        parked: 2,
        cpu_share: CpuShare::Full,
        egress: Egress::None,
        egress_sockets: 1,
        otlp_endpoint: None,
        trace_sample: None,
        time_scale: 1.0,
        prices: None,
        without_telemetry: false,
        log: "warn".to_owned(),
    };
    if let Some(port) = options.port {
        return Serving::start(&on(port), None, None).await;
    }
    match Serving::start(&on(USUAL_PORT), None, None).await {
        Ok(serving) => Ok(serving),
        Err(_) => Serving::start(&on(0), None, None).await,
    }
}
