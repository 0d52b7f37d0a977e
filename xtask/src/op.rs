//! `cargo xtask op <service> <Operation>`: writes the one file of a new operation.
//!
//! The file has all members that the model has, so that leaving one out is a decision; the answer refuses the call until
//! the function is written.

mod name;
mod write;

use anyhow::{Context, Result, bail};
use pitbird_wire::Catalog;

#[derive(clap::Args)]
pub struct Options {
    /// The model's name, which is the crate's too: lambda, logs, …
    service: String,
    /// The operation's name in the model: PutFunctionConcurrency
    operation: String,
}

pub fn run(options: &Options) -> Result<()> {
    let Options { service, operation } = options;
    let keys =
        || Catalog::embedded().services().iter().map(|service| service.key()).collect::<Vec<_>>().join(", ");
    let model = Catalog::embedded()
        .model(service)
        .with_context(|| format!("no model {service}; there are {}", keys()))?;
    let operation =
        model.operation(operation).with_context(|| format!("{service} has no operation {operation}"))?;
    let module = name::snake(operation.name);
    let operations = crate::root().join("crates").join(service).join("src/operations");
    let file = operations.join(format!("{module}.rs"));
    if file.exists() {
        bail!("{} is there already", file.display());
    }
    std::fs::create_dir_all(&operations)?;
    std::fs::write(&file, write::file(model, operation))?;
    eprintln!("wrote {}; hang it in, in operations.rs:", file.display());
    eprintln!("mod {module};");
    eprintln!(".operation(\"{}\", &[], {module}::run)", operation.name);
    Ok(())
}
