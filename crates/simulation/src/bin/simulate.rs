//! Runs the simulation and writes its page: `cargo xtask sim`.
#![allow(clippy::print_stdout, reason = "a program whose purpose is its output")]

use std::path::PathBuf;

use clap::Parser;
use pitbird_simulation::page::{self, Counts};
use pitbird_simulation::runs::Runs;

/// Run seeded releases through the planner and its peers' rules
#[derive(Parser)]
struct Options {
    /// Releases of each model in which both arms are the same
    #[arg(long, default_value_t = 5_900)]
    identical: usize,
    /// Releases of each model with a fault
    #[arg(long, default_value_t = 10_000)]
    faults: usize,
    /// Releases of each model by each peer
    #[arg(long, default_value_t = 1_000)]
    peers: usize,
    #[arg(long, default_value_t = 20_261_129)]
    seed: u64,
    /// Only models whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// Keep how each release ended in this folder, and don't run again what is there. For one planner only: begin with an
    /// empty folder after a change of it
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Run none of a model that has some there: the page of a run that was cut short
    #[arg(long, requires = "keep")]
    closed: bool,
    /// Write the page here; else to stdout
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Options { identical, faults, peers, seed, only, keep, closed, out } = Options::parse();
    let runs = Runs::new(seed, keep)?;
    let runs = if closed { runs.closed() } else { runs };
    let text = page::write(Counts { identical, faults, peers }, &runs, &only)?;
    match out {
        Some(path) => std::fs::write(path, text)?,
        None => print!("{text}"),
    }
    Ok(())
}
