//! The spawner: a small process with one thread that makes sandboxes, so that the daemon is never forked.
//!
//! Forking costs time with the memory of who forks: 25 ms at 256 MiB. This process has next to none. It is the parent of
//! every sandbox, and it is what makes sure that nothing outlives the daemon: when the daemon's end of the socket closes,
//! for whatever reason, it kills all sandboxes, removes their control groups and ends. If it is itself killed, the kernel
//! kills the sandboxes' first processes, and with them everything inside.

mod birth;
mod launch;
mod park;
mod private;
mod sandboxes;

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use libc::sock_filter;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Resource, Rlimit};

use crate::Missing;
use crate::cgroup::{self, Cgroups, Share};
use crate::channel::{self, MESSAGE_BYTES_MAX};
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::message::{FromInit, FromSpawner, Mode, Start, ToSpawner};
use crate::mounts::{self, Roots};
use crate::seccomp;

use private::PrivateDirectories;
use sandboxes::{Entry, Part};

/// The first argument by which the daemon's binary knows that it is to be a spawner.
pub const ARGUMENT: &str = "__spawner";

/// How long after the last event spares are made: not while functions are starting.
const QUIET: Duration = Duration::from_millis(4);

/// How often the removal of a control group whose last process is still leaving is tried again.
const REMOVAL_INTERVAL: Duration = Duration::from_millis(2);

/// How long after a word of lacking memory the kernel's kill is waited for. It may have found some after all.
const STARVING_MAX: Duration = Duration::from_secs(1);

/// How long the other end of a socket may keep this process waiting.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How long all sandboxes may take to be gone at the end.
const ENDING_MAX: Duration = Duration::from_secs(10);

/// Makes this process a spawner, and never returns.
///
/// To be called first thing in `main` when the first argument is [`ARGUMENT`]: no other thread may exist, and standard input
/// is the socket to the daemon.
pub fn spawner_main() -> ! {
    // What the server forbids itself is a function's own affair. It is inherited, also through execution.
    let _ = rustix::thread::disable_transparent_huge_pages(false);
    let code = match serve() {
        Ok(()) => 0,
        Err(_) => 1,
    };
    std::process::exit(code)
}

/// Calls [`spawner_main`] if the arguments say so, else returns.
pub fn spawner_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        spawner_main();
    }
}

struct Spawner {
    link: OwnedFd,
    epoll: OwnedFd,
    start: Start,
    filter: Vec<sock_filter>,
    cgroups: Cgroups,
    roots: Option<Roots>,
    private: Option<PrivateDirectories>,
    entries: HashMap<u64, Entry>,
    next: u64,
    /// Roots for which spares are kept, with the count of spares that failed in a row.
    stock: HashMap<u64, u32>,
    /// Control groups that still have to be removed.
    leaving: Vec<cgroup::Group>,
    /// Sandboxes that ran out of memory, with the time since when, of which the kernel may be about to kill a process.
    starving: HashMap<u64, Instant>,
    last_event: Instant,
    is_ending: bool,
}

/// What a first sandbox showed that others will have.
struct Proof {
    has_outside: bool,
    has_cpu_shares: bool,
}

fn serve() -> Result<(), Fault> {
    let link = take_link()?;
    let mut buffer = vec![0; MESSAGE_BYTES_MAX];
    let start = match channel::receive(&link, &mut buffer).at(Step::Exchange)? {
        Some(received) => match ToSpawner::decode(&buffer[..received.length]) {
            Ok(ToSpawner::Start(start)) => start,
            _ => return Err(Fault::new(Step::Exchange, libc::EPROTO)),
        },
        None => return Ok(()),
    };
    let made = Spawner::new(link.try_clone().at(Step::Exchange)?, start);
    match made {
        Ok((mut spawner, missing, proof)) => {
            let cgroups = spawner.cgroups.version();
            let Proof { has_outside, has_cpu_shares } = proof;
            spawner.say(&FromSpawner::Ready { cgroups, missing, has_outside, has_cpu_shares }, &[]);
            spawner.work(&mut buffer)
        }
        Err(fault) => channel::send(&link, &FromSpawner::Unable(fault).encode(), &[]).at(Step::Exchange),
    }
}

/// Takes the socket from standard input and puts this process apart from the daemon's terminal, signals and descriptors.
fn take_link() -> Result<OwnedFd, Fault> {
    let link = rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3).at(Step::Streams)?;
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").at(Step::Streams)?;
    kernel::place(&null, 0).at(Step::Streams)?;
    kernel::place(&null, 1).at(Step::Streams)?;
    drop(null);
    kernel::close_inherited(3, &[std::os::fd::AsRawFd::as_raw_fd(&link)]).at(Step::Streams)?;
    kernel::reset_signals();
    // A service manager sends these to every process of a service. The daemon decides when its work is done; when it ends,
    // this process ends.
    kernel::ignore_signals(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT]);
    // Already a leader when the daemon made it one.
    let _ = rustix::process::setsid();
    let _ = rustix::process::chdir("/");
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let _ = rustix::thread::set_name(c"pitbird-spawner");
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).at(Step::Clone)?;
    let files = rustix::process::getrlimit(Resource::Nofile).maximum;
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: files, maximum: files });
    Ok(link)
}

impl Spawner {
    /// Prepares for one mode, and proves by a first sandbox that it works here.
    fn new(link: OwnedFd, start: Start) -> Result<(Spawner, Vec<Missing>, Proof), Fault> {
        let mode = start.mode;
        if mode == Mode::Landlock && kernel::landlock_version().is_none() {
            return Err(Fault::new(Step::Landlock, libc::EOPNOTSUPP));
        }
        let epoll = epoll::create(CreateFlags::CLOEXEC).at(Step::Exchange)?;
        rustix::io::ioctl_fionbio(&link, true).at(Step::Exchange)?;
        epoll::add(&epoll, &link, EventData::new_u64(0), EventFlags::IN).at(Step::Exchange)?;
        let (roots, private, network) = if mode.has_namespaces() {
            (Some(mounts::set_up(mode, start.outside.as_ref())?), None, seccomp::Network::Private)
        } else {
            let private = PrivateDirectories::new(&start.state_directory, &start.group)?;
            (None, Some(private), seccomp::Network::Shared)
        };
        cgroup::sweep();
        let (cgroups, mut missing) = Cgroups::detect(&start.group, start.cpu_shares);
        let mut spawner = Spawner {
            link,
            epoll,
            start,
            filter: seccomp::filter(network),
            cgroups,
            roots,
            private,
            entries: HashMap::new(),
            next: 1,
            stock: HashMap::new(),
            leaving: Vec::new(),
            starving: HashMap::new(),
            last_event: Instant::now(),
            is_ending: false,
        };
        let mut proof = spawner.prove();
        if let Err(fault) = proof
            && !matches!(spawner.cgroups, Cgroups::None)
        {
            // Groups that can be made may still not let anybody in. Better without limits, and said, than no isolation.
            spawner.clear();
            missing = cgroup::all_missing(&format!("control groups do not work: {fault}"));
            proof = spawner.prove();
        }
        match proof {
            Ok(proof) => {
                let is_said = missing.iter().any(|missing| missing.what == cgroup::SHARE);
                if spawner.start.cpu_shares && !proof.has_cpu_shares && !is_said {
                    missing.push(cgroup::missing(cgroup::SHARE, "no quota can be set"));
                }
                Ok((spawner, missing, proof))
            }
            Err(fault) => {
                spawner.end();
                Err(fault)
            }
        }
    }

    /// Makes one sandbox as far as it goes without a function and takes it down again.
    fn prove(&mut self) -> Result<Proof, Fault> {
        let root = self.root_for(&[])?;
        let id = self.give_birth(root)?;
        let mut buffer = vec![0; 4096];
        let entry = self.entries.get(&id).ok_or(Fault::new(Step::Clone, libc::ESRCH))?;
        wait_for(&entry.control, PollFlags::IN, ANSWER_MAX);
        let received = channel::receive(&entry.control, &mut buffer).at(Step::Exchange)?;
        let has_outside = received.as_ref().is_some_and(|received| received.descriptors.len() > 1);
        let share = entry.group.as_ref().and_then(cgroup::Group::share_file);
        let said = received.and_then(|received| FromInit::decode(&buffer[..received.length]).ok());
        let has_cpu_shares =
            share.is_some_and(|file| Share::open(&file).and_then(|share| share.hold(1.0)).is_ok());
        self.kill(id);
        match said {
            Some(FromInit::Prepared { .. }) => Ok(Proof { has_outside, has_cpu_shares }),
            Some(FromInit::Failed(fault)) => Err(fault),
            _ => Err(Fault::new(Step::Exchange, libc::EPROTO)),
        }
    }

    /// Serves until the daemon is gone or says so.
    fn work(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        while !self.is_ending {
            self.turn(buffer)?;
        }
        self.end();
        Ok(())
    }

    /// Waits for events and handles them.
    fn turn(&mut self, buffer: &mut [u8]) -> Result<(), Fault> {
        let mut events = Vec::with_capacity(64);
        let timeout = self.timeout().map(timespec);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno).at(Step::Exchange),
        }
        if events.is_empty() {
            self.keep_house();
            return Ok(());
        }
        for event in &events {
            match Part::of(event.data.u64()) {
                None => self.hear_daemon(buffer),
                Some((id, Part::Control)) => self.hear_init(id),
                Some((id, Part::Process)) => self.bury(id),
                Some((id, Part::Memory)) => self.note_starving(id),
            }
        }
        self.last_event = Instant::now();
        self.remove_left();
        self.end_starving();
        Ok(())
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.leaving.is_empty() || !self.starving.is_empty() {
            return Some(REMOVAL_INTERVAL);
        }
        self.wanted_spare()
            .map(|_| QUIET.saturating_sub(self.last_event.elapsed()).max(Duration::from_micros(100)))
    }

    /// What is done when nothing else is to do.
    fn keep_house(&mut self) {
        self.remove_left();
        self.end_starving();
        if let Some(root) = self.wanted_spare()
            && self.last_event.elapsed() >= QUIET
            && self.give_birth(Some(root)).is_err()
        {
            // Trying again and again would help nobody; launches say what is wrong.
            self.stock.remove(&root);
        }
    }

    fn hear_daemon(&mut self, buffer: &mut [u8]) {
        loop {
            let received = match channel::receive(&self.link, buffer) {
                Ok(Some(received)) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // The daemon is gone.
                Ok(None) | Err(_) => {
                    self.is_ending = true;
                    return;
                }
            };
            match ToSpawner::decode(&buffer[..received.length]) {
                Ok(ToSpawner::Launch { request, spec, tmp_of }) => {
                    self.launch(request, *spec, false, tmp_of, received.descriptors);
                }
                Ok(ToSpawner::Park { request, spec }) => {
                    self.launch(request, *spec, true, None, received.descriptors);
                }
                Ok(ToSpawner::Adopt { request, sandbox, spec }) => self.adopt(request, sandbox, &spec),
                Ok(ToSpawner::Prepare { host_paths }) => self.prepare(&host_paths),
                Ok(ToSpawner::Abandon { request }) => self.abandon(request),
                Ok(ToSpawner::Shutdown) | Ok(ToSpawner::Start(_)) | Err(_) => {
                    self.is_ending = true;
                    return;
                }
            }
        }
    }

    /// Tells the daemon something. Waits while its socket is full; if it is gone, ends.
    fn say(&mut self, message: &FromSpawner, descriptors: &[std::os::fd::BorrowedFd<'_>]) {
        let bytes = message.encode();
        loop {
            match channel::send(&self.link, &bytes, descriptors) {
                Ok(()) => return,
                Err(error)
                    if error.kind() == std::io::ErrorKind::WouldBlock
                        && wait_for(&self.link, PollFlags::OUT, ANSWER_MAX) => {}
                Err(_) => {
                    self.is_ending = true;
                    return;
                }
            }
        }
    }

    fn root_for(&mut self, host_paths: &[std::path::PathBuf]) -> Result<Option<u64>, Fault> {
        let Some(roots) = &mut self.roots else { return Ok(None) };
        let (root, gone) = roots.find(host_paths)?;
        if let Some(gone) = gone {
            self.stock.remove(&gone);
            self.kill_spares(gone);
        }
        Ok(Some(root))
    }

    /// Ends everything this process was for.
    fn end(&mut self) {
        self.is_ending = true;
        self.clear();
        if let Some(private) = self.private.take() {
            private.remove();
        }
    }

    /// Kills all sandboxes, waits until they are gone and removes their control groups.
    fn clear(&mut self) {
        let deadline = Instant::now() + ENDING_MAX;
        let ids: Vec<u64> = self.entries.keys().copied().collect();
        for id in &ids {
            self.kill(*id);
        }
        for id in ids {
            self.wait_and_bury(id, deadline);
        }
        while !self.leaving.is_empty() && Instant::now() < deadline {
            self.remove_left();
            if !self.leaving.is_empty() {
                std::thread::sleep(REMOVAL_INTERVAL);
            }
        }
        crate::init::kill_all_children();
        std::mem::replace(&mut self.cgroups, Cgroups::None).remove();
    }

    fn watch(&self, what: impl AsFd, id: u64, part: Part) -> Result<(), Fault> {
        let data = EventData::new_u64(part.token(id));
        epoll::add(&self.epoll, what, data, EventFlags::IN).at(Step::Exchange)
    }
}

/// Waits until a socket is ready. `false` when the time is up.
fn wait_for(socket: impl AsFd, readiness: PollFlags, time: Duration) -> bool {
    let time = timespec(time);
    let mut polled = [PollFd::new(&socket, readiness)];
    let _ = rustix::io::retry_on_intr(|| rustix::event::poll(&mut polled, Some(&time)));
    !polled[0].revents().is_empty()
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: i64::from(time.subsec_nanos()) }
}
