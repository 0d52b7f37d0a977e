//! Runs the simulation and writes its page: `cargo xtask sim`.
#![allow(clippy::print_stdout, reason = "a program whose purpose is its output")]

use std::path::PathBuf;

use clap::Parser;
use pitbird_simulation::page::{self, Counts};

/// Run seeded releases through the planner and its peers' rules
#[derive(Parser)]
struct Options {
    /// Releases of each model in which both arms are the same
    #[arg(long, default_value_t = 100_000)]
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
    /// Write the page here; else to stdout
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Options { identical, faults, peers, seed, only, out } = Options::parse();
    let text = page::write(Counts { identical, faults, peers }, seed, &only);
    match out {
        Some(path) => std::fs::write(path, text)?,
        None => print!("{text}"),
    }
    Ok(())
}
