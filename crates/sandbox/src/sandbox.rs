//! A running sandbox, as the daemon holds it.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::Signal;
use tokio::sync::watch;

use crate::cgroup::Share;
use crate::runaway;

/// How a sandbox ended. Exactly one of `code` and `signal` is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The program's exit status, 0 to 255.
    pub code: Option<i32>,
    /// The signal that killed the program; 9 also when the sandbox was killed.
    pub signal: Option<i32>,
    /// Whether a process of the sandbox was killed because memory ran out.
    pub out_of_memory: bool,
}

impl Exit {
    /// Killed from outside, as far as anybody knows.
    pub(crate) const KILLED: Exit = Exit { code: None, signal: Some(libc::SIGKILL), out_of_memory: false };
}

/// What the launcher has heard about a sandbox's end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub exit: Exit,
    pub peak_bytes: u64,
}

/// How one of a sandbox's programs ended, where it has companions.
#[derive(Clone, Debug)]
pub struct ProgramEnd {
    /// 0 is the program, 1 the first companion.
    pub program: usize,
    /// The kernel's reason when it couldn't be executed.
    pub how: Result<Exit, Arc<io::Error>>,
}

/// What the launcher has heard about a sandbox since it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// Of the program and its companions those that have ended, in that order.
    pub programs: Vec<ProgramEnd>,
    pub end: Option<End>,
}

/// A socket of a sandbox's network, for one connection at a time to what listens inside.
#[derive(Debug)]
pub struct Connector(OwnedFd);

impl Connector {
    pub(crate) fn new(socket: OwnedFd) -> Connector {
        Connector(socket)
    }

    /// The socket, non-blocking and not connected. A connection that was made with it before ends at once.
    ///
    /// # Errors
    /// When no descriptor is to be had.
    pub fn socket(&self) -> io::Result<TcpStream> {
        // A socket that has been connected may be connected anew once it has been dissolved (connect(2)).
        rustix::net::connect_unspec(&self.0)?;
        Ok(TcpStream::from(self.0.try_clone()?))
    }
}

/// One program, its companions and everything they started. Dropping it kills all of that.
#[derive(Debug)]
pub struct Sandbox {
    /// The spawner's number of it.
    pub(crate) number: u64,
    pub(crate) pid: u32,
    pub(crate) runtime_api: SocketAddr,
    pub(crate) listener: Option<TcpListener>,
    pub(crate) output: Option<OwnedFd>,
    pub(crate) companions_output: Option<OwnedFd>,
    pub(crate) connectors: Vec<Connector>,
    pub(crate) device: Option<OwnedFd>,
    pub(crate) tmp: Option<Tmp>,
    pub(crate) process: Process,
    /// The memory control group's own record, kept open: it is read every now and then while functions run.
    pub(crate) peak_file: Option<File>,
    /// Its control group of the second version, where it has one.
    pub(crate) group: Option<PathBuf>,
    /// Kept open, too, for a function is let go on while its caller waits.
    pub(crate) freeze_file: Option<File>,
    pub(crate) life: watch::Receiver<Life>,
    /// Counts this sandbox among those that may run at the same time.
    pub(crate) _place: tokio::sync::OwnedSemaphorePermit,
}

/// A sandbox's `/tmp`. When the last hold of it is dropped and no sandbox has it, what lies in it is gone.
#[derive(Debug)]
pub struct Tmp {
    pub(crate) hold: OwnedFd,
    /// The number of the sandbox whose user it belongs to.
    pub(crate) of: u64,
}

impl Tmp {
    /// How much lies in it; 0 where the kernel doesn't say. Bytes.
    pub fn used_bytes(&self) -> u64 {
        let Ok(told) = rustix::fs::fstatfs(&self.hold) else { return 0 };
        let blocks = told.f_blocks.saturating_sub(told.f_bfree);
        blocks.saturating_mul(u64::try_from(told.f_bsize).unwrap_or(0))
    }
}

/// The sandbox's first process: what is signalled to end it.
#[derive(Debug)]
pub(crate) struct Process {
    pub pidfd: OwnedFd,
    /// Process 1 of a pid namespace takes everything along when it is killed. Another is told to kill what came from it.
    pub signal: Signal,
    /// By which all of the sandbox is held to a share of the CPU, where it can be.
    pub share: Option<Share>,
}

impl Process {
    pub fn kill(&self) {
        self.let_go();
        self.send(self.signal);
    }

    /// What has used up its share of the CPU doesn't even die before it gets more.
    fn let_go(&self) {
        if let Some(share) = &self.share {
            share.lift();
        }
    }

    fn send(&self, signal: Signal) {
        // Fails only when it has ended already.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Sandbox {
    /// The listener on which the program will call the Runtime API: non-blocking, bound to [`Sandbox::runtime_api`] inside the sandbox's
    /// network (or the host's loopback, where sandboxes have none of their own).
    ///
    /// # Panics
    /// When taken twice.
    pub fn take_listener(&mut self) -> TcpListener {
        self.listener.take().expect("the listener is taken once")
    }

    /// The other end of its network's device, where the launcher was asked for a way out and could make one: non-blocking, one IPv4
    /// packet a read and a write. `None` when taken before.
    pub fn take_device(&mut self) -> Option<OwnedFd> {
        self.device.take()
    }

    /// A hold of its `/tmp`, which outlives it, for [`Launcher::launch_with`](crate::Launcher::launch_with). `None` when taken before, and
    /// where sandboxes have no mounts of their own.
    pub fn take_tmp(&mut self) -> Option<Tmp> {
        self.tmp.take()
    }

    /// Stops everything in it where it stands, or lets it go on. Frozen it can be killed as ever. `false` where the host has
    /// nothing to freeze it with.
    ///
    /// # Errors
    /// The kernel doesn't take the order; a sandbox that has ended takes none.
    pub fn set_frozen(&self, is_frozen: bool) -> io::Result<bool> {
        let Some(file) = &self.freeze_file else { return Ok(false) };
        file.write_at(if is_frozen { b"1" } else { b"0" }, 0)?;
        Ok(true)
    }

    /// Holds everything in it, together, to this many CPUs' worth of time, 0.01 and more, from now on: 0.5 is half a CPU. Before that it has all the
    /// CPU there is, and once it is killed it has again. `false` where the launcher wasn't asked for that or couldn't
    /// have it ([`Report::has_cpu_shares`](crate::Report::has_cpu_shares)).
    ///
    /// # Errors
    /// The kernel doesn't take the order; a sandbox that has ended takes none.
    pub fn hold_to_cpu_share(&self, share: f64) -> io::Result<bool> {
        let Some(group) = &self.process.share else { return Ok(false) };
        group.hold(share)?;
        Ok(true)
    }

    /// Where the program calls, as it stands in its `AWS_LAMBDA_RUNTIME_API`.
    pub fn runtime_api(&self) -> SocketAddr {
        self.runtime_api
    }

    /// The read end of the pipe that standard output and standard error share; blocking. It ends when the last process with the
    /// other end does.
    ///
    /// # Panics
    /// When taken twice.
    pub fn take_output(&mut self) -> OwnedFd {
        self.output.take().expect("the output is taken once")
    }

    /// As [`Sandbox::take_output`], of the companions; `None` where there are none.
    pub fn take_companions_output(&mut self) -> Option<OwnedFd> {
        self.companions_output.take()
    }

    /// The sockets that were asked for; none where sandboxes have no network of their own.
    pub fn take_connectors(&mut self) -> Vec<Connector> {
        std::mem::take(&mut self.connectors)
    }

    /// Starts the program of a sandbox that has companions. To be called once: after that the same order would end it.
    pub fn start_program(&self) {
        self.process.send(Signal::USR1);
    }

    /// Asks the program, once it has been started, to end (`SIGTERM`). Its companions and what it has started stay.
    pub fn terminate_program(&self) {
        self.process.send(Signal::USR1);
    }

    /// Kills the program alone. What is left of the sandbox has little time then, and isn't held to its share of the CPU any more.
    pub fn kill_program(&self) {
        self.process.let_go();
        self.process.send(Signal::USR2);
    }

    /// Waits until one of the programs has ended, of which `seen` are known. Where there are no companions this never comes: the
    /// program's end is the sandbox's.
    pub async fn program_ended(&self, seen: usize) -> ProgramEnd {
        let mut life = self.life.clone();
        if let Ok(life) = life.wait_for(|life| life.programs.len() > seen).await {
            return life.programs[seen].clone();
        }
        std::future::pending().await
    }

    /// Waits until the sandbox has ended: its program has, its companions have, and so has everything else in it. May be called
    /// again.
    pub async fn exited(&self) -> Exit {
        let mut life = self.life.clone();
        match life.wait_for(|life| life.end.is_some()).await {
            Ok(life) => life.end.map_or(Exit::KILLED, |end| end.exit),
            // The launcher is gone, and with it the spawner and all sandboxes.
            Err(_) => Exit::KILLED,
        }
    }

    /// Kills the program and everything it started, at once. Does nothing to a sandbox that has ended.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// As [`Sandbox::kill`], of a sandbox that may be spinning in many processes: they get the CPU before all others until they have
    /// ended, where the daemon may give it to them.
    pub fn kill_runaway(&self) {
        self.kill();
        if let Some(group) = &self.group {
            runaway::kill(group, self.memory_peak_bytes());
        }
    }

    /// The most memory the sandbox has used so far, in bytes. Without a memory control group that of the program's own process is
    /// taken.
    pub fn memory_peak_bytes(&self) -> u64 {
        if let Some(end) = self.life.borrow().end {
            return end.peak_bytes;
        }
        match &self.peak_file {
            Some(file) => read_number(file).unwrap_or(0),
            None => {
                crate::processes::children_of(self.pid).into_iter().map(crate::processes::resident_peak).sum()
            }
        }
    }

    /// The host's number of the sandbox's first process, the parent of all others inside.
    pub fn pid(&self) -> u32 {
        self.pid
    }
}

/// Reads the single number of a control file, from its start.
fn read_number(file: &File) -> Option<u64> {
    let mut digits = [0; 24];
    let length = file.read_at(&mut digits, 0).ok()?;
    std::str::from_utf8(&digits[..length]).ok()?.trim().parse().ok()
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
