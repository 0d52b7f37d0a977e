//! Control groups of the second version: one hierarchy for all controllers.
//!
//! A group that has processes cannot hand controllers to groups below it, so a launcher needs a group whose only processes
//! are its own, or the right to make one at the top.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::freezer;
use super::hierarchy::{Layout, SUPERVISOR};
use super::share::{self, PERIOD_US};
use super::{Limits, OWN_PROCESSES, missing, write};
use crate::Missing;
use crate::claim::claim;

/// The controllers without which there are no limits.
const LIMITING: [&str; 2] = ["memory", "pids"];

/// A launcher's directory.
pub struct Launcher {
    path: PathBuf,
    _lock: OwnedFd,
    has_memory: bool,
    has_pids: bool,
    /// Quotas of CPU time could be had.
    has_cpu: bool,
    /// Sandboxes' groups have them.
    has_shares: bool,
    /// The group above, which hands the CPU controller down because this launcher told it to.
    told: Option<PathBuf>,
}

impl Launcher {
    /// With `shares` sandboxes' groups can be given those.
    ///
    /// # Errors
    /// Words on why no group can be had and what would help.
    pub fn new(layout: &Layout, name: &str, shares: bool) -> Result<(Launcher, Vec<Missing>), String> {
        let unified = layout.v2().ok_or("no control groups are mounted")?;
        let offered = controllers(&unified.top.join("cgroup.controllers"))
            .or_else(|| controllers(&unified.own.join("cgroup.controllers")))
            .unwrap_or_default();
        if !offered.iter().any(|name| name == "memory" || name == "pids") {
            return Err("the control groups have neither memory nor pids controller".to_owned());
        }
        let mut refused = None;
        for base in unified.candidates() {
            match Launcher::below(&base, name, shares) {
                Ok(launcher) => {
                    let lacking = launcher.lacking();
                    return Ok((launcher, lacking));
                }
                // What keeps this process from its own group is what can be helped; the top is only root's.
                Err(error) => refused = refused.or(Some((base, error))),
            }
        }
        Err(refused.map_or_else(String::new, |(base, error)| refusal(&base, &error)))
    }

    fn below(base: &Path, name: &str, shares: bool) -> io::Result<Launcher> {
        // First see whether the base lets anything be made at all, before processes are moved about.
        let path = base.join(name);
        let lock = claim(&path)?;
        let result = delegate(base, &LIMITING).and_then(|()| {
            let has = |wanted: &str| {
                controllers(&path.join("cgroup.controllers"))
                    .is_some_and(|names| names.iter().any(|name| name == wanted))
            };
            let mut launcher = Launcher {
                has_memory: has("memory"),
                has_pids: has("pids"),
                has_cpu: controllers(&base.join("cgroup.controllers"))
                    .is_some_and(|names| names.iter().any(|name| name == "cpu")),
                has_shares: false,
                told: None,
                path: path.clone(),
                _lock: lock,
            };
            if !launcher.has_memory && !launcher.has_pids {
                return Err(io::Error::other("controllers are not handed down"));
            }
            enable(&launcher.path, &LIMITING);
            if shares {
                launcher.share_out(base);
            }
            Ok(launcher)
        });
        if result.is_err() {
            let _ = std::fs::remove_dir(&path);
        }
        result
    }

    /// Has sandboxes' groups scheduled as such, with quotas.
    fn share_out(&mut self, base: &Path) {
        let file = share::FILES[1];
        if !self.path.join(file).exists() {
            enable(base, &["cpu"]);
            self.told = Some(base.to_owned());
        }
        self.has_cpu = self.path.join(file).exists();
        if self.has_cpu {
            enable(&self.path, &["cpu"]);
            share::weigh(&self.path);
            self.has_shares = true;
        }
    }

    fn lacking(&self) -> Vec<Missing> {
        let why = "the controller is not handed down to this process's control group; a unit of systemd's has it by \
                   `Delegate=yes`";
        let given = [
            (self.has_memory, "memory limit"),
            (self.has_pids, "process limit"),
            (self.has_cpu, share::WHAT),
        ];
        let mut lacking: Vec<Missing> =
            given.into_iter().filter(|(has, _)| !has).map(|(_, what)| missing(what, why)).collect();
        if !self.path.join(freezer::FILE).exists() {
            lacking.push(missing(freezer::WHAT, "this kernel is older than Linux 5.2"));
        }
        lacking
    }

    pub fn limits_memory(&self) -> bool {
        self.has_memory
    }

    pub fn create(&self, sandbox: u64) -> io::Result<Group> {
        let path = self.path.join(sandbox.to_string());
        std::fs::create_dir(&path)?;
        let directory = OwnedFd::from(std::fs::File::open(&path)?);
        if self.has_shares {
            write(&path.join(share::FILES[1]), format!("max {PERIOD_US}"))?;
        }
        let (has_memory, has_pids, has_share) = (self.has_memory, self.has_pids, self.has_shares);
        Ok(Group { path, directory, has_memory, has_pids, has_share })
    }

    pub fn remove(self) {
        // Whatever stays is swept at the next start.
        let _ = std::fs::remove_dir(&self.path);
        if let Some(base) = self.told {
            // Groups cost those something who don't use them. Refused while another launcher does.
            let _ = write(&base.join("cgroup.subtree_control"), "-cpu");
        }
    }
}

/// Why no group may be made below `base`, and what would help.
fn refusal(base: &Path, error: &io::Error) -> String {
    let name = base.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let help = if is_shared(error) {
        "pitbird must be alone in it: have its unit start it with no shell before it (`exec`)"
    } else if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        "a service's unit must have no `ProtectControlGroups=`, a container a hierarchy that may be written"
    } else if name.ends_with(".service") {
        "a service's unit allows it by `Delegate=yes`"
    } else {
        "start it with `systemd-run --user --scope -p Delegate=yes`, or as a service whose unit has `Delegate=yes`"
    };
    format!("no control group may be made in {}: {error}; {help}", base.display())
}

/// Other processes are in the group.
fn is_shared(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
}

/// Makes `base` hand down these controllers, or some of them; for that, moves this process and its parent out of it where they are in it.
fn delegate(base: &Path, wanted: &[&str]) -> io::Result<()> {
    // Only the top of the hierarchy may have both processes and groups with controllers. Elsewhere it must be emptied first:
    // some controllers could be switched on before, and would make the groups below unfit for processes ("domain invalid").
    let is_top = !base.join("cgroup.type").exists();
    if !is_top {
        empty(base)?;
    }
    enable(base, wanted);
    if hands_down(base, wanted) { Ok(()) } else { Err(io::Error::other("controllers cannot be handed down")) }
}

/// Moves this process and its parent out of a group.
fn empty(base: &Path) -> io::Result<()> {
    let own = std::process::id();
    let parent = std::os::unix::process::parent_id();
    let members = std::fs::read_to_string(base.join("cgroup.procs"))?;
    let members: Vec<u32> = members.lines().filter_map(|line| line.parse().ok()).collect();
    if members.iter().any(|member| *member != own && *member != parent) {
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, "other processes are in this group"));
    }
    if members.is_empty() {
        return Ok(());
    }
    let supervisor = base.join(SUPERVISOR);
    match std::fs::create_dir(&supervisor) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    members.iter().try_for_each(|member| write(&supervisor.join("cgroup.procs"), member))
}

/// Hands controllers down, as far as the kernel lets.
fn enable(directory: &Path, names: &[&str]) {
    for controller in names {
        let _ = write(&directory.join("cgroup.subtree_control"), format!("+{controller}"));
    }
}

fn hands_down(directory: &Path, wanted: &[&str]) -> bool {
    controllers(&directory.join("cgroup.subtree_control"))
        .is_some_and(|names| names.iter().any(|name| wanted.contains(&name.as_str())))
}

fn controllers(file: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.split_whitespace().map(str::to_owned).collect())
}

/// A sandbox's directory.
pub struct Group {
    pub path: PathBuf,
    pub directory: OwnedFd,
    has_memory: bool,
    has_pids: bool,
    has_share: bool,
}

impl Group {
    pub fn share_file(&self) -> Option<PathBuf> {
        self.has_share.then(|| self.path.join(share::FILES[1]))
    }

    pub fn limit(&self, limits: &Limits) -> io::Result<()> {
        if self.has_memory {
            write(&self.path.join("memory.max"), limits.memory_bytes)?;
            optional(write(&self.path.join("memory.swap.max"), 0))?;
            // One process too many kills the whole sandbox.
            optional(write(&self.path.join("memory.oom.group"), 1))?;
        }
        if self.has_pids {
            write(&self.path.join("pids.max"), limits.processes_max.saturating_add(OWN_PROCESSES))?;
        }
        Ok(())
    }
}

/// Older kernels and kernels without swap lack some files.
fn optional(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
