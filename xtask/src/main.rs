//! Project tools: `cargo xtask <tool>`.

mod bench;
mod ci;
mod deny;
mod models;
mod op;
mod sim;
mod tidy;

use clap::Parser;

/// Tools for those who work on pitbird
#[derive(Parser)]
enum Tool {
    /// Measure pitbird beside its peers
    Bench(bench::Options),
    /// Run all of CI: tidy, deny, fmt, clippy, build, tests
    Ci,
    /// Hold the rules of the house: layers, lengths, names
    Tidy,
    /// Hold licences and sources of dependencies against deny.toml
    Deny,
    /// Condense botocore's service models into models/
    Models(models::Options),
    /// Run seeded releases through the planner and its peers' rules
    Sim(sim::Options),
    /// Write the file of a new operation from the model
    Op(op::Options),
}

fn main() -> anyhow::Result<()> {
    match Tool::parse() {
        Tool::Bench(options) => bench::run(&root(), &options),
        Tool::Ci => ci::run(&root()),
        Tool::Tidy => tidy::run(&root()),
        Tool::Deny => deny::run(&root()),
        Tool::Models(options) => models::run(&options),
        Tool::Sim(options) => sim::run(&root(), &options),
        Tool::Op(options) => op::run(&options),
    }
}

/// The workspace's root directory.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").into()
}
