//! Freezing where other controllers are of the first version: groups of the second have a freezer of their own that needs none,
//! and unlike the first version's it lets frozen processes be killed.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::hierarchy::Layout;
use crate::claim::claim;

/// What it is called where it is missing.
pub const WHAT: &str = "freezing of idle functions";
/// Of a group, from Linux 5.2 on.
pub const FILE: &str = "cgroup.freeze";

/// A launcher's directory in the second version's hierarchy, used for nothing else.
pub struct Freezer {
    pub path: PathBuf,
    _lock: OwnedFd,
}

/// A sandbox's directory there.
pub struct Group {
    pub path: PathBuf,
    pub directory: OwnedFd,
}

impl Freezer {
    /// # Errors
    /// Words on why none can be had.
    pub fn new(layout: &Layout, name: &str) -> Result<Freezer, String> {
        let unified = layout.v2().ok_or("no control groups of the second version are mounted")?;
        let mut reasons = Vec::new();
        for path in unified.candidates().into_iter().map(|base| base.join(name)) {
            match claim(&path) {
                Ok(lock) if path.join(FILE).exists() => return Ok(Freezer { path, _lock: lock }),
                Ok(_) => {
                    let _ = std::fs::remove_dir(&path);
                    reasons.push(format!("{} has no freezer", path.display()));
                }
                Err(error) => reasons.push(format!("{}: {error}", path.display())),
            }
        }
        Err(reasons.join("; "))
    }

    pub fn create(&self, sandbox: u64) -> io::Result<Group> {
        let path = self.path.join(sandbox.to_string());
        std::fs::create_dir(&path)?;
        let directory = OwnedFd::from(std::fs::File::open(&path)?);
        Ok(Group { path, directory })
    }
}
