//! Making a sandbox's first process.

use std::os::fd::AsFd;

use rustix::process::Pid;

use super::{Entry, Part, Spawner, sandboxes::State};
use crate::channel;
use crate::error::{At, Fault, Step};
use crate::init::{self, Identity, Setup};
use crate::kernel;
use crate::message::{Mode, ToInit};
use crate::mounts::{GUEST_GROUP, GUEST_USER};

/// Guests' users on the host, made by root: one for each sandbox, from a range that systemd's list of uses
/// (systemd.io/UIDS-GIDS) leaves free.
const HOST_USERS_FROM: u32 = 1_879_048_192;
const HOST_USERS: u32 = 1 << 16;

/// Spares that fail in a row before no more are made.
const FAILURES_MAX: u32 = 3;

impl Spawner {
    /// Makes a first process, which prepares itself. `root` is `None` where sandboxes have no root of their own.
    pub fn give_birth(&mut self, root: Option<u64>) -> Result<u64, Fault> {
        // Users come round after so many sandboxes, of which some live long. Those that live are fewer than there are users.
        while self.has_user(self.next) {
            self.next += 1;
        }
        self.give_birth_as(root, self.next)
    }

    /// Whether somebody has the user that the sandbox of this number has, or had.
    pub fn has_user(&self, sandbox: u64) -> bool {
        let user = host_user(self.start.mode, sandbox);
        user.is_some() && self.entries.values().any(|entry| entry.user == user)
    }

    /// With the user of the sandbox of that number.
    pub fn give_birth_as(&mut self, root: Option<u64>, user_of: u64) -> Result<u64, Fault> {
        let id = self.next;
        self.next += 1;
        let group = self.cgroups.create(id).at(Step::ControlGroup)?;
        match self.bear(user_of, root, group.as_ref()) {
            Ok(mut entry) => {
                entry.group = group;
                self.watch(&entry.control, id, Part::Control)?;
                self.watch(&entry.pidfd, id, Part::Process)?;
                if let Some(event) = &entry.memory_event {
                    self.watch(event, id, Part::Memory)?;
                }
                self.entries.insert(id, entry);
                Ok(id)
            }
            Err(fault) => {
                self.leaving.extend(group);
                Err(fault)
            }
        }
    }

    fn bear(
        &self,
        user_of: u64,
        root: Option<u64>,
        group: Option<&crate::cgroup::Group>,
    ) -> Result<Entry, Fault> {
        let mode = self.start.mode;
        let (control, theirs) = channel::pair().at(Step::Exchange)?;
        rustix::io::ioctl_fionbio(&control, true).at(Step::Exchange)?;
        let user = host_user(mode, user_of);
        let identity = match mode {
            Mode::RootMapped | Mode::User => Some(Identity { user: GUEST_USER, group: GUEST_GROUP }),
            _ => user.map(|user| Identity { user, group: user }),
        };
        let memory_event =
            group.map(|group| group.memory_event().at(Step::ControlGroup)).transpose()?.flatten();
        let tree = match (&self.roots, root) {
            (Some(roots), Some(root)) => Some(roots.copy(root)?),
            _ => None,
        };
        let setup = Setup {
            mode,
            control: theirs.as_fd(),
            root: tree,
            entrances: group.map(crate::cgroup::Group::entrances).unwrap_or_default(),
            identity,
            filter: &self.filter,
            outside: self.start.outside.as_ref(),
        };
        let birthplace = group.and_then(crate::cgroup::Group::birthplace);
        let owner = user.filter(|_| mode == Mode::RootMapped);
        // Where it can't be had the namespace is root's, as any is that root makes.
        let is_lent = owner.is_some_and(|owner| kernel::own_namespaces_as(owner).is_ok());
        let child = kernel::clone_process(namespaces(mode), birthplace, || init::run(setup));
        if is_lent && kernel::own_namespaces_as(0).is_err() {
            // Nothing that is made from here on would be right. The daemon takes another spawner.
            kernel::exit_now(1);
        }
        let child = child.at(Step::Clone)?;
        let entry = Entry {
            pid: child.pid.as_raw_nonzero().get().cast_unsigned(),
            pidfd: child.pidfd,
            control,
            group: None,
            memory_event,
            root,
            state: State::Preparing(None),
            ended: None,
            peak_bytes: 0,
            fault: None,
            listener: None,
            port: 0,
            is_parked: false,
            adopting: None,
            connectors: Vec::new(),
            device: None,
            user,
            user_of,
            private_directory: None,
        };
        if mode.maps_users()
            && let Err(fault) = map_users(mode, child.pid, user)
                .and_then(|()| channel::send(&entry.control, &ToInit::Go.encode(), &[]).at(Step::Exchange))
        {
            let _ = rustix::process::kill_process(child.pid, rustix::process::Signal::KILL);
            let _ = rustix::process::waitpid(Some(child.pid), rustix::process::WaitOptions::empty());
            return Err(fault);
        }
        Ok(entry)
    }

    /// The root for which a spare is to be made next.
    pub fn wanted_spare(&self) -> Option<u64> {
        self.stock.iter().find_map(|(root, failures)| {
            let ready = self.spares_of(*root).count();
            (*failures < FAILURES_MAX && ready < self.start.spares as usize).then_some(*root)
        })
    }

    fn spares_of(&self, root: u64) -> impl Iterator<Item = u64> {
        self.entries
            .iter()
            .filter(move |(_, entry)| {
                entry.root == Some(root) && matches!(entry.state, State::Spare | State::Preparing(None))
            })
            .map(|(id, _)| *id)
    }

    /// A spare of this root: one that is ready, or else one that soon will be.
    pub fn take_spare(&self, root: u64) -> Option<u64> {
        self.spares_of(root).min_by_key(|id| !matches!(self.entries[id].state, State::Spare))
    }

    pub fn kill_spares(&mut self, root: u64) {
        let spares: Vec<u64> = self.spares_of(root).collect();
        for id in spares {
            self.kill(id);
        }
    }

    pub fn note_failed_spare(&mut self, root: Option<u64>) {
        if let Some(failures) = root.and_then(|root| self.stock.get_mut(&root)) {
            *failures += 1;
        }
    }
}

fn namespaces(mode: Mode) -> u64 {
    let mut flags = 0;
    if mode.has_namespaces() {
        flags |= libc::CLONE_NEWNS
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUTS
            | libc::CLONE_NEWNET;
    }
    if mode.maps_users() {
        flags |= libc::CLONE_NEWUSER;
    }
    u64::from(flags.cast_unsigned())
}

/// The guest's user as the host counts. `None` where it is the daemon's own.
fn host_user(mode: Mode, sandbox: u64) -> Option<u32> {
    let slot = u32::try_from(sandbox % u64::from(HOST_USERS)).expect("the remainder is below 2^16");
    match mode {
        Mode::RootMapped | Mode::Root => Some(HOST_USERS_FROM + slot),
        Mode::User => None,
        Mode::Landlock | Mode::Process => {
            rustix::process::getuid().is_root().then_some(HOST_USERS_FROM + slot)
        }
    }
}

/// Maps the guest's user and group, and no other, to the host's.
fn map_users(mode: Mode, child: Pid, user: Option<u32>) -> Result<(), Fault> {
    let write = |file: &str, text: String| {
        std::fs::write(format!("/proc/{}/{file}", child.as_raw_nonzero()), text).at(Step::IdentityMap)
    };
    let (outer_user, outer_group) = match user {
        Some(user) => (user, user),
        None => (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw()),
    };
    if mode == Mode::User {
        write("setgroups", "deny".to_owned())?;
    }
    write("gid_map", format!("{GUEST_GROUP} {outer_group} 1"))?;
    write("uid_map", format!("{GUEST_USER} {outer_user} 1"))
}
