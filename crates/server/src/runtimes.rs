//! Which programs serve which runtimes: found on `PATH`, or chosen on the command line.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use pitbird_cli::{Runtime, RuntimeProgram};
use pitbird_invoke::{ChosenRuntime, RuntimeError, RuntimeReport};
use pitbird_sandbox::{Config, Launcher, SpawnerCommand};

/// Where interpreters are looked for.
pub fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

pub fn chosen(given: &[RuntimeProgram]) -> Vec<ChosenRuntime> {
    let choice = |RuntimeProgram { name, program }: &RuntimeProgram| ChosenRuntime {
        runtime: name.clone(),
        program: program.clone(),
    };
    given.iter().map(choice).collect()
}

/// Can what was chosen be obeyed?
pub async fn check(given: &[RuntimeProgram], launcher: &Launcher) -> Result<()> {
    if given.is_empty() {
        return Ok(());
    }
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let checked =
        pitbird_invoke::check_chosen_runtimes(folder.path().to_owned(), &chosen(given), launcher).await;
    checked.map_err(|error| {
        anyhow!("{error}\nhint: `pitbird doctor` with the same --runtime says what serves which runtime")
    })
}

/// What functions could run with on this host, for `doctor`.
pub async fn found(given: &[RuntimeProgram]) -> Vec<Runtime> {
    let Ok(folder) = tempfile::tempdir() else { return Vec::new() };
    let chosen = chosen(given);
    // Without a launcher the isolation's own finding says why; what was chosen is asked all the same.
    let launcher = if chosen.is_empty() { None } else { launcher().await };
    let reports = |chosen: Vec<ChosenRuntime>| {
        let (directory, launcher) = (folder.path().to_owned(), launcher.as_ref());
        async move { pitbird_invoke::runtimes(directory, search_path(), &chosen, launcher).await }
    };
    let mut found = Vec::new();
    let told = match reports(chosen).await {
        Ok(told) => told,
        Err(error) => {
            found.push(senseless(&error));
            reports(Vec::new()).await.unwrap_or_default()
        }
    };
    found.extend(told.into_iter().map(runtime));
    if let Some(launcher) = launcher {
        launcher.shutdown().await;
    }
    found
}

async fn launcher() -> Option<Launcher> {
    Launcher::start(Config { spares: 0, ..Config::new(SpawnerCommand::own_binary()) }).await.ok()
}

fn runtime(report: RuntimeReport) -> Runtime {
    Runtime {
        name: report.runtime.to_owned(),
        found: report.found.map(|served| served.to_string()).map_err(|error| error.to_string()),
        is_chosen: report.is_chosen,
    }
}

/// A choice that can't be obeyed whatever the programs are.
fn senseless(error: &RuntimeError) -> Runtime {
    let name = match error {
        RuntimeError::Unknown { runtime, .. } => runtime,
        RuntimeError::WithoutInterpreter(runtime) | RuntimeError::ChosenTwice(runtime) => runtime,
        _ => "runtimes",
    };
    Runtime { name: name.to_owned(), found: Err(error.to_string()), is_chosen: true }
}
