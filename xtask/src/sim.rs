//! Runs the simulation of releases and writes docs/rollout-quality.md.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// What to run; without anything, 100,000 releases in all in which both versions are the same
#[derive(clap::Args)]
pub struct Options {
    /// Handed to the simulation: --identical N, --faults N, --peers N, --seed N, --only WORDS, --keep FOLDER
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    let page = root.join("docs/rollout-quality.md");
    let status = Command::new("cargo")
        .args([
            "run",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "pitbird-simulation",
            "--bin",
            "simulate",
            "--",
        ])
        .args(&options.arguments)
        // A part of the models makes a part of a page, which isn't kept.
        .args(if options.arguments.iter().any(|word| word.starts_with("--only")) {
            Vec::new()
        } else {
            vec!["--out".into(), page.into_os_string()]
        })
        .current_dir(root)
        .status()?;
    if status.success() { Ok(()) } else { bail!("the simulation ended with {status}") }
}
