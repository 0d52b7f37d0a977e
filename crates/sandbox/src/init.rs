//! A sandbox's first process: builds the sandbox around itself, starts the program, and reaps until it ends.
//!
//! It is a copy of the spawner and never executes anything. Its life has two halves. [`prepare`] does all that needs no
//! knowledge of the function, and may be done ahead: network, root, `/proc`. Then it waits. [`enter`] makes it one
//! function's: code, `/tmp`, limits, privileges, filter, program. Or [`park`] starts the program before, confined as it ever will
//! be, and this process keeps its own privileges until it has mounted what is the function's. At the levels with a pid namespace it is process 1 there, and
//! its death is everybody's; elsewhere it is a subreaper that kills what it has gathered.

mod confine;
mod enter;
mod park;
mod prepare;
mod programs;
mod variables;
mod watch;

use std::convert::Infallible;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use libc::sock_filter;
use rustix::process::{Signal, WaitOptions};

use crate::channel::{self, MESSAGE_BYTES_MAX};
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::message::{FromInit, Mode, ToInit};
use crate::spec::Outside;

/// User and group of the guest, as numbers inside its user namespace (or the host's, without one).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user: u32,
    pub group: u32,
}

/// What a first process inherits.
pub struct Setup<'a> {
    pub mode: Mode,
    pub control: BorrowedFd<'a>,
    /// The detached root, at the namespace levels.
    pub root: Option<OwnedFd>,
    /// Control-group files to write itself into.
    pub entrances: Vec<PathBuf>,
    /// `None` where the guest keeps the daemon's user.
    pub identity: Option<Identity>,
    pub filter: &'a [sock_filter],
    /// A way out of its network.
    pub outside: Option<&'a Outside>,
}

/// The whole life of a first process.
pub fn run(setup: Setup<'_>) -> Infallible {
    let Err(fault) = live(&setup);
    tell(setup.control, FromInit::Failed(fault), &[]);
    kernel::exit_now(1)
}

fn live(setup: &Setup<'_>) -> Result<Infallible, Fault> {
    let (listener, device) = prepare::prepare(setup)?;
    let port = listener.local_addr().at(Step::Network)?.port();
    let given: Vec<BorrowedFd<'_>> =
        [listener.as_fd()].into_iter().chain(device.as_ref().map(AsFd::as_fd)).collect();
    channel::send(setup.control, &FromInit::Prepared { port }.encode(), &given).at(Step::Exchange)?;
    drop((listener, device));

    let (request, descriptors) = receive(setup.control)?;
    let ToInit::Enter(request) = request else { return Err(out_of_order()) };
    let (programs, request) = if request.is_parked {
        let parked = park::park(setup, &request, descriptors)?;
        tell(setup.control, FromInit::Started, &[]);
        let (programs, request, tmp) = parked.wait_for_function(setup)?;
        tell(setup.control, FromInit::Adopted, &[tmp.as_fd()]);
        (programs, request)
    } else {
        let (mut programs, held) = enter::enter(setup, &request, descriptors)?;
        let given: Vec<BorrowedFd<'_>> = held.iter().map(AsFd::as_fd).collect();
        tell(setup.control, FromInit::Started, &given);
        drop(held);
        programs.tell_failed(setup.control);
        (programs, request)
    };

    let ended = watch::watch(setup, &request, programs);
    tell(setup.control, ended, &[]);
    kernel::exit_now(0)
}

/// Dies with the spawner. To be called again after every change of user, which clears it.
fn die_with_parent(setup: &Setup<'_>) -> Result<(), Fault> {
    // Without a pid namespace the death of this process kills nobody else: it needs the chance to do so itself.
    let signal = if setup.mode.has_namespaces() { Signal::KILL } else { Signal::TERM };
    rustix::process::set_parent_process_death_signal(Some(signal)).at(Step::Privileges)?;
    // It may have died before: then the other end of the socket is closed.
    let mut polled = [rustix::event::PollFd::new(&setup.control, rustix::event::PollFlags::empty())];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut polled, Some(&now)).at(Step::Exchange)?;
    if polled[0].revents().contains(rustix::event::PollFlags::HUP) {
        kernel::exit_now(1);
    }
    Ok(())
}

fn receive(control: BorrowedFd<'_>) -> Result<(ToInit, Vec<OwnedFd>), Fault> {
    let mut buffer = vec![0; MESSAGE_BYTES_MAX];
    match channel::receive(control, &mut buffer).at(Step::Exchange)? {
        // The spawner is gone, and this process with it.
        None => kernel::exit_now(0),
        Some(received) => match ToInit::decode(&buffer[..received.length]) {
            Ok(message) => Ok((message, received.descriptors)),
            Err(_) => Err(out_of_order()),
        },
    }
}

/// Says something to the spawner. If it cannot be told it is gone, and this process follows.
fn tell(control: BorrowedFd<'_>, message: FromInit, descriptors: &[BorrowedFd<'_>]) {
    const PAUSE: Duration = Duration::from_millis(1);
    const PAUSES_MAX: usize = 5000;
    for _ in 0..PAUSES_MAX {
        match channel::send(control, &message.encode(), descriptors) {
            // All that this user has sent and nobody has taken up yet counts against this process's own limit of open files
            // (unix(7)). The spawner is about to.
            Err(error) if error.raw_os_error() == Some(libc::ETOOMANYREFS) => std::thread::sleep(PAUSE),
            _ => return,
        }
    }
}

fn out_of_order() -> Fault {
    Fault::new(Step::Exchange, libc::EPROTO)
}

/// Waits until the spawner says that users are mapped.
fn await_go(control: BorrowedFd<'_>) -> Result<(), Fault> {
    match receive(control)? {
        (ToInit::Go, _) => Ok(()),
        _ => Err(out_of_order()),
    }
}

/// Reaps one child, without waiting if `block` is false.
fn reap_one(block: bool) -> Option<(rustix::process::Pid, i32)> {
    let options = if block { WaitOptions::empty() } else { WaitOptions::NOHANG };
    let result = rustix::io::retry_on_intr(|| rustix::process::wait(options)).ok()??;
    Some((result.0, result.1.as_raw()))
}

/// The inherited descriptors that a first process keeps.
fn kept(setup: &Setup<'_>) -> Vec<i32> {
    let root = setup.root.as_ref().map(AsRawFd::as_raw_fd);
    [setup.control.as_raw_fd()].into_iter().chain(root).collect()
}

/// Text as the kernel takes it.
fn c_string(text: &std::ffi::OsStr) -> Result<std::ffi::CString, Fault> {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::CString::new(text.as_bytes()).map_err(|_| Fault::new(Step::Program, libc::EINVAL))
}

fn c_strings(texts: &[std::ffi::OsString]) -> Result<Vec<std::ffi::CString>, Fault> {
    texts.iter().map(|text| c_string(text)).collect()
}

/// For the spawner, at its end: nothing that came from it may stay.
pub fn kill_all_children() {
    watch::kill_descendants();
}

/// For the spawner, where sandboxes have no pid namespace: kills those of its children that are no first process. They
/// came to it when the first process above them was killed.
pub fn kill_orphans(first_processes: &[u32]) {
    let children = crate::processes::children_of(std::process::id()).into_iter();
    let orphans = children.filter(|child| !first_processes.contains(child));
    for orphan in orphans.filter_map(|child| rustix::process::Pid::from_raw(child.cast_signed())) {
        let _ = rustix::process::kill_process(orphan, Signal::KILL);
        let _ = rustix::process::waitpid(Some(orphan), WaitOptions::empty());
    }
}
