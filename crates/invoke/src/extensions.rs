//! The Extensions API, version 2020-01-01: programs beside the runtime that are told when an environment starts, runs and ends.
//!
//! What extensions may ask for and when is decided in [`machine`], how an environment with extensions ends in [`wind_down`];
//! `crate::environment` acts.

pub mod machine;
pub mod serve;
pub mod wind_down;

use std::io;
use std::path::Path;

use pitbird_sandbox::{LAYERS, Spec};

/// Extensions of one function, external and internal together. Source: AWS's runtime interface emulator and Lambda's quotas.
pub const EXTENSIONS_MAX: usize = 10;

/// Variables that are the runtime's own. Source: Lambda developer guide, "Lambda Extensions API", "Permissions and configuration".
const RUNTIMES_VARIABLES: [&str; 8] = [
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
];

/// There are more extensions than a function may have.
#[derive(Debug)]
pub struct TooMany;

/// Adds the external extensions that layers bring to what is to be run: each file in `extensions`, by its name. Whether it is a
/// program will be seen.
pub fn add(spec: &mut Spec, layers: &Path) -> Result<(), TooMany> {
    let mut names: Vec<String> = files(&layers.join("extensions")).unwrap_or_default();
    if names.len() > EXTENSIONS_MAX {
        return Err(TooMany);
    }
    names.sort_unstable();
    if !names.is_empty() {
        let places = names.iter().map(|name| format!("{LAYERS}/extensions/{name}"));
        spec.companions.programs = places.collect();
        // Each may subscribe to telemetry, and so may internal ones.
        spec.connectors = EXTENSIONS_MAX as u32;
        spec.companions.env_without = RUNTIMES_VARIABLES.map(str::to_owned).into();
    }
    Ok(())
}

fn files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in directory.read_dir()? {
        let entry = entry?;
        // Not followed: where a link leads is for the sandbox to see.
        if !entry.file_type()?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}
