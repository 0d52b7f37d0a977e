//! The sandboxes that a spawner has made, and how each comes to its end.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::event::epoll;
use rustix::process::{Signal, WaitId, WaitIdOptions};

use super::{Spawner, launch::Pending};
use crate::Exit;
use crate::cgroup::Group;
use crate::channel;
use crate::error::{Fault, Step};
use crate::message::{FromInit, FromSpawner};

/// A sandbox from its first process's birth to its burial.
pub struct Entry {
    pub pid: u32,
    pub pidfd: OwnedFd,
    pub control: OwnedFd,
    pub group: Option<Group>,
    /// Signals that the group is out of memory.
    pub memory_event: Option<OwnedFd>,
    pub root: Option<u64>,
    pub state: State,
    /// What the first process said about the program's end.
    pub ended: Option<(i32, bool)>,
    pub peak_bytes: u64,
    pub fault: Option<Fault>,
    /// The listener, until it is handed over.
    pub listener: Option<OwnedFd>,
    /// The device of its way out, until it is handed over.
    pub device: Option<OwnedFd>,
    /// The listener's port.
    pub port: u16,
    /// The program is to wait for its function, or does.
    pub is_parked: bool,
    /// The request by which a parked program was given its function, until it has taken it.
    pub adopting: Option<u64>,
    /// Sockets of its network, until they are handed over.
    pub connectors: Vec<OwnedFd>,
    /// The number of the first sandbox that had its user.
    pub user_of: u64,
    /// The host's number of the guest's user.
    pub user: Option<u32>,
    /// Private directory, at the levels without mounts.
    pub private_directory: Option<PathBuf>,
}

pub enum State {
    /// The first process builds what all functions have in common; a launch may be waiting for it.
    Preparing(Option<Box<Pending>>),
    /// Prepared, nobody's yet.
    Spare,
    /// Being made a function's, for this request.
    Entering(u64),
    Running,
    /// Of no use to anybody, and killed.
    Condemned,
}

/// What of a sandbox an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Control,
    Process,
    Memory,
}

impl Part {
    const BITS: u64 = 2;

    pub fn token(self, id: u64) -> u64 {
        let part = match self {
            Part::Control => 1,
            Part::Process => 2,
            Part::Memory => 3,
        };
        id << Part::BITS | part
    }

    /// `None` for the daemon's socket.
    pub fn of(token: u64) -> Option<(u64, Part)> {
        let id = token >> Part::BITS;
        match token & ((1 << Part::BITS) - 1) {
            1 => Some((id, Part::Control)),
            2 => Some((id, Part::Process)),
            3 => Some((id, Part::Memory)),
            _ => None,
        }
    }
}

impl Spawner {
    /// Handles all that a first process has said. Its silence is no event: its death is.
    pub fn hear_init(&mut self, id: u64) {
        let mut buffer = [0; 64];
        while let Some(entry) = self.entries.get_mut(&id) {
            let received = match channel::receive(&entry.control, &mut buffer) {
                Ok(Some(received)) if !received.is_cut => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // Closed, or not a message of ours: the process is ending, or has to.
                Ok(_) | Err(_) => {
                    let _ = epoll::delete(&self.epoll, &entry.control);
                    self.kill(id);
                    return;
                }
            };
            match FromInit::decode(&buffer[..received.length]) {
                Ok(FromInit::Prepared { port }) => {
                    let mut descriptors = received.descriptors.into_iter();
                    (entry.listener, entry.device) = (descriptors.next(), descriptors.next());
                    entry.port = port;
                    self.prepared(id);
                }
                Ok(FromInit::Failed(fault)) => entry.fault = Some(fault),
                Ok(FromInit::Started) => {
                    entry.connectors = received.descriptors;
                    self.started(id);
                }
                Ok(FromInit::Adopted) => self.adopted(id, &received.descriptors),
                Ok(FromInit::ProgramEnded { program, status }) => {
                    let exit = exit(Some((status, false)), false);
                    self.say(&FromSpawner::ProgramEnded { sandbox: id, program, exit }, &[]);
                }
                Ok(FromInit::ProgramFailed { program, fault }) => {
                    self.say(&FromSpawner::ProgramFailed { sandbox: id, program, fault }, &[]);
                }
                Ok(FromInit::Ended { status, out_of_memory, peak_bytes }) => {
                    entry.ended = Some((status, out_of_memory));
                    entry.peak_bytes = peak_bytes;
                }
                Err(_) => self.kill(id),
            }
        }
    }

    fn prepared(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if let Some(root) = entry.root {
            self.stock.entry(root).and_modify(|failures| *failures = 0);
        }
        match std::mem::replace(&mut entry.state, State::Spare) {
            State::Preparing(Some(pending)) => self.enter(id, *pending),
            State::Preparing(None) => {}
            other => entry.state = other,
        }
    }

    fn started(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let State::Entering(request) = entry.state else { return };
        entry.state = State::Running;
        let (Some(listener), port) = (entry.listener.take(), entry.port) else { return self.kill(id) };
        let Ok(pidfd) = entry.pidfd.try_clone() else { return self.kill(id) };
        let memory =
            entry.group.as_ref().and_then(Group::peak_file).map(|peak| crate::message::MemoryFiles { peak });
        let (device, connectors) = (entry.device.take(), std::mem::take(&mut entry.connectors));
        let has_device = device.is_some();
        // What waits for its function has none yet.
        let has_tmp = self.start.mode.has_namespaces() && !entry.is_parked;
        let tmp_of = has_tmp.then_some(entry.user_of);
        let freeze = entry.group.as_ref().and_then(Group::freeze_file);
        let share = entry.group.as_ref().and_then(Group::share_file);
        let pid = entry.pid;
        let has = (has_device, tmp_of);
        let message = FromSpawner::Launched { request, sandbox: id, pid, port, memory, has, freeze, share };
        let given = [&listener, &pidfd].into_iter().chain(&device).chain(&connectors).map(AsFd::as_fd);
        self.say(&message, &given.collect::<Vec<_>>());
    }

    /// Kills a sandbox. Its burial follows when it is dead.
    pub fn kill(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if matches!(entry.state, State::Preparing(None) | State::Spare) {
            entry.state = State::Condemned;
        }
        if let Some(group) = &entry.group {
            group.lift_share();
        }
        // Without a pid namespace the first process itself kills all others, when it is told to.
        let signal = if self.start.mode.has_namespaces() { Signal::KILL } else { Signal::TERM };
        let _ = rustix::process::pidfd_send_signal(&entry.pidfd, signal);
    }

    /// Reaps a dead first process, says how its sandbox ended and lets go of all it had.
    pub fn bury(&mut self, id: u64) {
        // What it said last may not have been heard yet.
        self.hear_init(id);
        let Some(mut entry) = self.entries.remove(&id) else { return };
        // The daemon holds the same open pidfd, so closing ours would not end the watch.
        let _ = epoll::delete(&self.epoll, &entry.pidfd);
        let _ = rustix::process::waitid(WaitId::PidFd(entry.pidfd.as_fd()), WaitIdOptions::EXITED);
        if !self.start.mode.has_namespaces() {
            crate::init::kill_orphans(&self.living());
        }
        let starved = entry.group.as_ref().is_some_and(Group::ran_out_of_memory);
        let peak = entry.group.as_ref().map_or(0, Group::peak_bytes);
        let peak_bytes = if peak > 0 { peak } else { entry.peak_bytes };
        let exit = exit(entry.ended, starved);
        let unexplained =
            if starved { (Step::Program, libc::ENOMEM) } else { (Step::Exchange, libc::ECHILD) };
        let fault = entry.fault.unwrap_or(Fault::new(unexplained.0, unexplained.1));
        match std::mem::replace(&mut entry.state, State::Condemned) {
            State::Running => self.say(&FromSpawner::Exited { sandbox: id, exit, peak_bytes }, &[]),
            State::Entering(request) => self.say(&FromSpawner::Failed { request, fault }, &[]),
            State::Preparing(Some(pending)) => {
                self.say(&FromSpawner::Failed { request: pending.request, fault }, &[]);
            }
            State::Preparing(None) | State::Spare => self.note_failed_spare(entry.root),
            State::Condemned => {}
        }
        if let Some(request) = entry.adopting {
            self.say(&FromSpawner::Failed { request, fault }, &[]);
        }
        self.starving.remove(&id);
        if let Some(directory) = &entry.private_directory {
            let _ = std::fs::remove_dir_all(directory);
        }
        self.leaving.extend(entry.group.take());
    }

    /// First processes that are alive.
    fn living(&self) -> Vec<u32> {
        self.entries.values().map(|entry| entry.pid).collect()
    }

    pub fn wait_and_bury(&mut self, id: u64, deadline: Instant) {
        if let Some(entry) = self.entries.get(&id) {
            let left = deadline.saturating_duration_since(Instant::now());
            if !super::wait_for(&entry.pidfd, PollFlags::IN, left) {
                let _ = rustix::process::pidfd_send_signal(&entry.pidfd, Signal::KILL);
                return;
            }
        }
        self.bury(id);
    }

    pub fn remove_left(&mut self) {
        self.leaving.retain(|group| group.remove().is_err());
    }

    pub fn note_starving(&mut self, id: u64) {
        let Some(entry) = self.entries.get(&id) else { return };
        if let Some(event) = &entry.memory_event {
            let _ = rustix::io::read(event, &mut [0; 8]);
        }
        self.starving.insert(id, Instant::now());
    }

    /// Kills the sandboxes of which the kernel has killed one process for lack of memory.
    pub fn end_starving(&mut self) {
        self.starving.retain(|_, since| since.elapsed() < super::STARVING_MAX);
        let entries = &self.entries;
        let dead: Vec<u64> = self
            .starving
            .keys()
            .copied()
            .filter(|id| {
                let group = entries.get(id).and_then(|entry| entry.group.as_ref());
                group.is_some_and(Group::ran_out_of_memory)
            })
            .collect();
        for id in dead {
            self.starving.remove(&id);
            self.kill(id);
        }
    }
}

/// How the program ended. A sandbox whose first process could not say was killed.
fn exit(ended: Option<(i32, bool)>, starved: bool) -> Exit {
    let (status, watched) = ended.unwrap_or((libc::SIGKILL, false));
    let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
    Exit { code, signal, out_of_memory: watched || starved }
}
