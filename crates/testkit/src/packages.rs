use std::path::{Path, PathBuf};
use std::process::Command;

use crate::python;

/// Where packages of a language's own tool are put, once.
#[derive(Debug, Clone, Copy)]
pub enum Tool {
    /// `pip install --target`: the folder has the modules.
    Pip,
    /// `npm install`: the folder has `node_modules`.
    Npm,
}

/// A folder below `target/` with these packages, with the versions that they name. `None`, said loudly, when they can't be
/// had.
pub fn packages(tool: Tool, name: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-packages").join(name);
    let install = match tool {
        Tool::Pip => {
            "\"$python\" -m pip install --quiet --disable-pip-version-check --target \"$folder\" \"$@\""
        }
        Tool::Npm => "npm install --silent --no-audit --no-fund --prefix \"$folder\" \"$@\"",
    };
    // Several test processes may come here at once: only one installs. Whole is what has its list.
    let script = format!(
        "set -e; python=$1 folder=$2; shift 2; mkdir -p \"$folder\"; exec 9>\"$folder.lock\"; flock 9; \
         [ \"$(cat \"$folder/whole\" 2>/dev/null)\" = \"$*\" ] || {{ rm -rf \"$folder\"; mkdir -p \"$folder\"; {install} >&2; \
         echo \"$*\" > \"$folder/whole\"; }}"
    );
    let made = Command::new("sh")
        .args(["-c", &script, "sh"])
        .args([python()?.interpreter, folder.clone()])
        .args(packages)
        .status();
    if made.is_ok_and(|status| status.success()) {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} can't be installed here", packages.join(", "));
    None
}
