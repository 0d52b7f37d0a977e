//! Control groups: limits on memory, processes and CPU for each sandbox, and how a death by memory is told from others.
//!
//! Every launcher has one directory per hierarchy, below the daemon's own group so that an operator's limits on the daemon
//! hold for its sandboxes too. It stays locked (flock) while its spawner lives; whatever is found unlocked at a start was
//! left behind by a crash and is swept.
//!
//! The CPU controller is used only by launchers that are asked for shares, as groups of their own cost warm invocations something
//! (`docs/decisions/0004-functions-give-way.md`). A sandbox is in its group from its first instruction on and without a quota until
//! the daemon writes one: moving processes into a group later would wait for a lock on all processes of the host.

mod freezer;
mod hierarchy;
mod share;
mod sweep;
mod v1;
mod v2;

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

pub use share::{Share, WHAT as SHARE};
pub use sweep::{remove_launcher, sweep};

use crate::{CgroupVersion, Missing};

/// What they are called where there are none at all.
pub const ALL: &str = "control groups";

/// What the names of all launchers' directories begin with.
pub const PREFIX: &str = "pitbird-";

/// The control groups of one launcher.
pub enum Cgroups {
    None,
    V1(v1::Launcher),
    V2(v2::Launcher),
}

/// Limits of one sandbox.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub memory_bytes: u64,
    pub processes_max: u32,
}

/// Processes a sandbox needs beside the guest's own: its first process.
const OWN_PROCESSES: u32 = 1;

impl Cgroups {
    /// Finds what the host has and makes this launcher's directories; with `shares` sandboxes can be given those. Never fails: what
    /// cannot be had is said.
    pub fn detect(name: &str, shares: bool) -> (Cgroups, Vec<Missing>) {
        let layout = match hierarchy::Layout::read() {
            Ok(layout) => layout,
            Err(error) => {
                return (Cgroups::None, all_missing(&format!("control groups cannot be read: {error}")));
            }
        };
        if layout.v1("memory").is_some() || layout.v1("pids").is_some() {
            let (launcher, missing) = v1::Launcher::new(&layout, name, shares);
            return (launcher.map_or(Cgroups::None, Cgroups::V1), missing);
        }
        match v2::Launcher::new(&layout, name, shares) {
            Ok((launcher, missing)) => (Cgroups::V2(launcher), missing),
            Err(why) => (Cgroups::None, all_missing(&why)),
        }
    }

    pub fn version(&self) -> CgroupVersion {
        match self {
            Cgroups::None => CgroupVersion::None,
            Cgroups::V1(_) => CgroupVersion::V1,
            Cgroups::V2(_) => CgroupVersion::V2,
        }
    }

    /// Whether the kernel kills what takes too much memory.
    pub fn limits_memory(&self) -> bool {
        match self {
            Cgroups::None => false,
            Cgroups::V1(launcher) => launcher.limits_memory(),
            Cgroups::V2(launcher) => launcher.limits_memory(),
        }
    }

    /// Makes one sandbox's group.
    pub fn create(&self, sandbox: u64) -> io::Result<Option<Group>> {
        match self {
            Cgroups::None => Ok(None),
            Cgroups::V1(launcher) => Ok(Some(Group::V1(launcher.create(sandbox)?))),
            Cgroups::V2(launcher) => Ok(Some(Group::V2(launcher.create(sandbox)?))),
        }
    }

    /// Removes the launcher's own directories, once no group is left.
    pub fn remove(self) {
        match self {
            Cgroups::None => {}
            Cgroups::V1(launcher) => launcher.remove(),
            Cgroups::V2(launcher) => launcher.remove(),
        }
    }
}

/// The control group of one sandbox.
pub enum Group {
    V1(v1::Group),
    V2(v2::Group),
}

impl Group {
    /// The v2 directory in which the sandbox's first process is to be born.
    pub fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Group::V1(group) => group.freezer.as_ref().map(|freezer| freezer.directory.as_fd()),
            Group::V2(group) => Some(group.directory.as_fd()),
        }
    }

    /// Files into which the sandbox's first process writes itself, where it could not be born inside.
    ///
    /// It does so itself because moving a process can take 10 ms, during which the spawner is free for others.
    pub fn entrances(&self) -> Vec<PathBuf> {
        match self {
            Group::V1(group) => group.entrances(),
            Group::V2(_) => Vec::new(),
        }
    }

    /// Sets the limits.
    pub fn limit(&self, limits: &Limits) -> io::Result<()> {
        match self {
            Group::V1(group) => group.limit(limits),
            Group::V2(group) => group.limit(limits),
        }
    }

    /// Becomes readable when the sandbox runs out of memory, where the kernel would not kill all of it by itself.
    pub fn memory_event(&self) -> io::Result<Option<OwnedFd>> {
        match self {
            Group::V1(group) => group.memory_event(),
            Group::V2(_) => Ok(None),
        }
    }

    /// Whether a process of the sandbox was killed for lack of memory.
    pub fn ran_out_of_memory(&self) -> bool {
        let (file, key) = match self {
            Group::V1(group) => (group.memory_file("memory.oom_control"), "oom_kill"),
            Group::V2(group) => (Some(group.path.join("memory.events")), "oom_kill"),
        };
        file.and_then(|file| read_key(&file, key)).is_some_and(|count| count > 0)
    }

    /// The file with the most memory the sandbox has used, in bytes.
    pub fn peak_file(&self) -> Option<PathBuf> {
        match self {
            Group::V1(group) => group.memory_file("memory.max_usage_in_bytes"),
            Group::V2(group) => Some(group.path.join("memory.peak")),
        }
    }

    /// The file by which all processes of the sandbox are stopped and let go on, as if no time had passed.
    pub fn freeze_file(&self) -> Option<PathBuf> {
        let directory = match self {
            Group::V1(group) => &group.freezer.as_ref()?.path,
            Group::V2(group) => &group.path,
        };
        Some(directory.join(freezer::FILE)).filter(|file| file.exists())
    }

    /// The file by which the sandbox is held to a share of the CPU, where it can be; see [`Share`].
    pub fn share_file(&self) -> Option<PathBuf> {
        match self {
            Group::V1(group) => group.share_file(),
            Group::V2(group) => group.share_file(),
        }
    }

    /// Lets the sandbox use all the CPU there is, for as long as it takes to die.
    pub fn lift_share(&self) {
        if let Some(group) = self.share_file().as_deref().and_then(Path::parent) {
            share::lift(group);
        }
    }

    pub fn peak_bytes(&self) -> u64 {
        self.peak_file().and_then(|file| read_number(&file)).unwrap_or(0)
    }

    /// Removes the group.
    ///
    /// # Errors
    /// While a process is still leaving; to be tried again.
    pub fn remove(&self) -> io::Result<()> {
        let directories = match self {
            Group::V1(group) => group.directories(),
            Group::V2(group) => vec![group.path.clone()],
        };
        directories.iter().try_for_each(|directory| match std::fs::remove_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }
}

/// Reads the single number of a control file.
pub fn read_number(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn read_key(file: &Path, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

fn write(file: &Path, value: impl std::fmt::Display) -> io::Result<()> {
    // Not `fs::write`, which would ask for truncation and creation.
    let file = std::fs::OpenOptions::new().write(true).open(file)?;
    io::Write::write_all(&mut &file, value.to_string().as_bytes())
}

pub fn missing(what: &str, why: &str) -> Missing {
    Missing { what: what.to_owned(), why: why.to_owned() }
}

/// What is missing where there are no control groups at all: they themselves with the reason, and all that they would give.
pub fn all_missing(why: &str) -> Vec<Missing> {
    let given = ["memory limit", "process limit", share::WHAT, freezer::WHAT];
    let lacking = given.into_iter().map(|what| missing(what, "without control groups"));
    std::iter::once(missing(ALL, why)).chain(lacking).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason is long, and each promise that it breaks would repeat it.
    #[test]
    fn why_there_are_no_groups_is_said_once() {
        let lacking = all_missing("nobody may");
        let said: Vec<&str> = lacking
            .iter()
            .filter(|missing| missing.why.contains("nobody may"))
            .map(|missing| missing.what.as_str())
            .collect();
        assert_eq!(said, [ALL]);
        assert_eq!(lacking.len(), 5);
    }
}
