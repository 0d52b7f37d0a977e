//! Control groups of the first version: one hierarchy per controller.

use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::EventfdFlags;

use super::freezer::{self, Freezer, WHAT};
use super::hierarchy::Layout;
use super::share::{self, PERIOD_US};
use super::{Limits, OWN_PROCESSES, missing, write};
use crate::Missing;
use crate::claim::claim;

/// A launcher's directories, one for each controller that could be had.
pub struct Launcher {
    memory: Option<Claimed>,
    pids: Option<Claimed>,
    cpu: Option<Claimed>,
    /// Sandboxes have groups there.
    has_shares: bool,
    freezer: Option<Freezer>,
}

struct Claimed {
    path: PathBuf,
    /// Held so that nobody sweeps the directory.
    _lock: OwnedFd,
}

impl Launcher {
    /// With `shares` sandboxes get groups for those.
    pub fn new(layout: &Layout, name: &str, shares: bool) -> (Option<Launcher>, Vec<Missing>) {
        let mut lacking = Vec::new();
        let mut take = |controller: &str, what: &str| {
            let why = match layout.v1(controller) {
                None => format!("no {controller} control group is mounted"),
                Some(base) => {
                    let path = base.join(name);
                    match claim(&path) {
                        Ok(lock) => return Some(Claimed { path, _lock: lock }),
                        Err(error) => format!("cannot use {}: {error}", path.display()),
                    }
                }
            };
            lacking.push(missing(what, &why));
            None
        };
        let memory = take("memory", "memory limit");
        let pids = take("pids", "process limit");
        let cpu = take("cpu", share::WHAT);
        let has_quotas = cpu.as_ref().is_some_and(|cpu| cpu.path.join(share::FILES[0]).exists());
        if cpu.is_some() && !has_quotas {
            lacking.push(missing(share::WHAT, "this kernel has no quotas of CPU time"));
        }
        let has_shares = shares && has_quotas;
        if let Some(cpu) = cpu.as_ref().filter(|_| has_shares) {
            share::weigh(&cpu.path);
        }
        let freezer = Freezer::new(layout, name).map_err(|why| lacking.push(missing(WHAT, &why))).ok();
        let launcher = Launcher { memory, pids, cpu, has_shares, freezer };
        let has_any = launcher.claimed().next().is_some();
        (has_any.then_some(launcher), lacking)
    }

    fn claimed(&self) -> impl Iterator<Item = &Claimed> {
        [&self.memory, &self.pids, &self.cpu].into_iter().flatten()
    }

    pub fn limits_memory(&self) -> bool {
        self.memory.is_some()
    }

    pub fn create(&self, sandbox: u64) -> io::Result<Group> {
        let make = |claimed: &Option<Claimed>| -> io::Result<Option<PathBuf>> {
            let Some(claimed) = claimed else { return Ok(None) };
            let path = claimed.path.join(sandbox.to_string());
            std::fs::create_dir(&path)?;
            Ok(Some(path))
        };
        let cpu = if self.has_shares { make(&self.cpu)? } else { None };
        if let Some(cpu) = &cpu {
            write(&cpu.join("cpu.cfs_period_us"), PERIOD_US)?;
        }
        let freezer = self.freezer.as_ref().map(|freezer| freezer.create(sandbox)).transpose()?;
        Ok(Group { memory: make(&self.memory)?, pids: make(&self.pids)?, cpu, freezer })
    }

    pub fn remove(self) {
        let claimed = self.claimed().map(|claimed| &claimed.path);
        for path in claimed.chain(self.freezer.as_ref().map(|freezer| &freezer.path)) {
            // Whatever stays is swept at the next start.
            let _ = std::fs::remove_dir(path);
        }
    }
}

/// A sandbox's directories.
pub struct Group {
    memory: Option<PathBuf>,
    pids: Option<PathBuf>,
    cpu: Option<PathBuf>,
    pub freezer: Option<freezer::Group>,
}

impl Group {
    pub fn directories(&self) -> Vec<PathBuf> {
        let freezer = self.freezer.as_ref().map(|freezer| &freezer.path);
        [&self.memory, &self.pids, &self.cpu].into_iter().flatten().chain(freezer).cloned().collect()
    }

    /// `tasks` and not `cgroup.procs`: for a thread that moves itself the kernel needs no lock on all processes, which takes
    /// milliseconds to get. The first process has one thread only.
    pub fn entrances(&self) -> Vec<PathBuf> {
        let inhabited = [&self.memory, &self.pids, &self.cpu].into_iter().flatten();
        inhabited.map(|directory| directory.join("tasks")).collect()
    }

    pub fn memory_file(&self, name: &str) -> Option<PathBuf> {
        Some(self.memory.as_ref()?.join(name))
    }

    pub fn share_file(&self) -> Option<PathBuf> {
        Some(self.cpu.as_ref()?.join(share::FILES[0]))
    }

    pub fn limit(&self, limits: &Limits) -> io::Result<()> {
        if let Some(memory) = &self.memory {
            write(&memory.join("memory.limit_in_bytes"), limits.memory_bytes)?;
            limit_swap(memory, limits.memory_bytes)?;
            limit_sockets(memory, limits.memory_bytes)?;
        }
        if let Some(pids) = &self.pids {
            write(&pids.join("pids.max"), limits.processes_max.saturating_add(OWN_PROCESSES))?;
        }
        Ok(())
    }

    /// An eventfd that the kernel signals when the group runs out of memory (cgroup-v1/memory.rst, section 10).
    pub fn memory_event(&self) -> io::Result<Option<OwnedFd>> {
        let Some(memory) = &self.memory else { return Ok(None) };
        let event = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let control = std::fs::File::open(memory.join("memory.oom_control"))?;
        let mut register =
            std::fs::OpenOptions::new().write(true).open(memory.join("cgroup.event_control"))?;
        let line = format!("{} {}", event.as_raw_fd(), control.as_raw_fd());
        register.write_all(line.as_bytes())?;
        Ok(Some(event))
    }
}

/// Of a function's memory what its connections may hold beside it: this version counts that apart, and not at all without a limit.
const SOCKETS_PART: u64 = 4;

/// What is on its way in TCP connections. Kernels that have given up this limit have no such file.
fn limit_sockets(memory: &Path, bytes: u64) -> io::Result<()> {
    match write(&memory.join("memory.kmem.tcp.limit_in_bytes"), bytes / SOCKETS_PART) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Memory and swap together, where the kernel counts swap; without that there is no such file.
fn limit_swap(memory: &Path, bytes: u64) -> io::Result<()> {
    match write(&memory.join("memory.memsw.limit_in_bytes"), bytes) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
