//! Project tools: `cargo xtask <tool>`.

mod models;
mod op;

use clap::Parser;

/// Tools for those who work on pitbird
#[derive(Parser)]
enum Tool {
    /// Condense botocore's service models into models/
    Models(models::Options),
    /// Write the file of a new operation from the model
    Op(op::Options),
}

fn main() -> anyhow::Result<()> {
    match Tool::parse() {
        Tool::Models(options) => models::run(&options),
        Tool::Op(options) => op::run(&options),
    }
}

/// The workspace's root directory.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").into()
}
