//! All of CI, in the order in which a fault is cheapest to find.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

pub fn run(root: &Path) -> Result<()> {
    step("tidy", || crate::tidy::run(root))?;
    step("deny", || crate::deny::run(root))?;
    step("fmt", || cargo(root, &["fmt", "--all", "--check"]))?;
    step("clippy", || {
        cargo(root, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    })?;
    step("build", || cargo(root, &["build", "--workspace", "--bins", "--examples", "--locked"]))?;
    step("tests", || tests(root))
}

/// Runs every test with nextest, a process each, where it is installed; else with cargo's own runner, one after the other,
/// since some tests count the processes that theirs has started.
fn tests(root: &Path) -> Result<()> {
    let has_nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    match has_nextest {
        true => cargo(root, &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]),
        false => {
            let arguments =
                ["test", "--workspace", "--locked", "--no-fail-fast", "--", "--test-threads", "1"];
            cargo(root, &arguments)
        }
    }
}

fn step(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("ci: {name}");
    let start = Instant::now();
    run().with_context(|| format!("ci: {name} failed"))?;
    eprintln!("ci: {name} passed in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("cargo").args(arguments).current_dir(root).status().context("cargo")?;
    if status.success() { Ok(()) } else { bail!("cargo {} ended with {status}", arguments.join(" ")) }
}
