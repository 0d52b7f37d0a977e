//! All of CI, in the order in which a fault is cheapest to find.

mod skips;

use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

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
/// since some tests count the processes that theirs has started. Says which of them had nothing to test with.
fn tests(root: &Path) -> Result<()> {
    let has_nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    let (ran, skips) = if has_nextest { with_nextest(root) } else { with_cargo(root)? };
    skips::tell(&skips);
    ran
}

/// Whether all passed, and what was skipped.
fn with_nextest(root: &Path) -> (Result<()>, Vec<String>) {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    // As .config/nextest.toml has it.
    let report = target.join("nextest/default/junit.xml");
    let _not_there = std::fs::remove_file(&report);
    let ran = cargo(root, &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]);
    let skips = std::fs::read_to_string(&report).map(|report| skips::in_report(&report));
    match skips {
        Ok(skips) => (ran, skips),
        Err(error) => {
            (ran.and_then(|()| bail!("nextest's report {}: {error}", report.display())), Vec::new())
        }
    }
}

fn with_cargo(root: &Path) -> Result<(Result<()>, Vec<String>)> {
    let mut child = Command::new("cargo")
        .args([
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--",
            "--test-threads",
            "1",
            "--show-output",
        ])
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo")?;
    let mut output = skips::Output::default();
    let stdout = child.stdout.take().context("cargo's output is a pipe")?;
    output.pass_on(BufReader::new(stdout), std::io::stdout())?;
    let status = child.wait()?;
    let ran = if status.success() { Ok(()) } else { Err(anyhow!("cargo test ended with {status}")) };
    Ok((ran, output.skips))
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
