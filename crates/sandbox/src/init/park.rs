//! A program that starts before anybody knows for which function.
//!
//! What is started is the runtime's own: an interpreter with our half of it, nothing of a function's. It is confined from its first
//! instruction on as it will be to its end. This process, its parent, keeps the privilege to mount until the function comes;
//! it mounts the code, gives up what it has as in a fresh start, and only then tells the program whose it is. So no code of a
//! function's ever runs beside a privileged process.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::event::{PollFd, PollFlags};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType};
use rustix::process::Pid;

use super::programs::{self, Programs};
use super::{Setup, confine, enter, out_of_order, receive, variables, watch};
use crate::error::{At, Fault, Step};
use crate::message::{Enter, ToInit};

/// A program that waits, and the socket by which it will be told for what.
pub struct Parked {
    program: Pid,
    socket: OwnedFd,
    /// How many variables it was started with, where they are to be replaced.
    room: Option<usize>,
}

/// Starts the program. Returns when it waits for its function.
pub fn park(setup: &Setup<'_>, request: &Enter, descriptors: Vec<OwnedFd>) -> Result<Parked, Fault> {
    let mut descriptors = descriptors.into_iter();
    let output = descriptors.next().ok_or(Fault::new(Step::Exchange, libc::EPROTO))?;
    confine::limit(setup, request)?;
    confine::give_way();
    enter::mount_own(request, &mut descriptors)?;
    confine::hide()?;
    let (socket, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .at(Step::Exchange)?;
    watch::prepare()?;
    let program = programs::start_waiting(setup, request, output.as_fd(), theirs.as_fd())?;
    drop((output, theirs));
    await_word(&socket)?;
    Ok(Parked { program, socket, room: variables::room(&request.env) })
}

impl Parked {
    /// Waits for the function, and makes the sandbox its own. Returns when the program knows.
    ///
    /// The last of what it answers is a hold of its `/tmp`.
    pub fn wait_for_function(self, setup: &Setup<'_>) -> Result<(Programs, Box<Enter>, OwnedFd), Fault> {
        self.wait(setup.control)?;
        let (ToInit::Adopt(request), descriptors) = receive(setup.control)? else {
            return Err(out_of_order());
        };
        let mut descriptors = descriptors.into_iter();
        enter::mount_own(&request, &mut descriptors)?;
        let tmp = enter::mount_tmp(setup, &request, &mut descriptors)?;
        if let Some(room) = self.room {
            variables::replace(self.program, room, &request.env)?;
        }
        enter::confine_self(setup)?;
        // The program's, too.
        rustix::process::chdir(&request.working_dir).at(Step::WorkingDirectory)?;
        self.tell(&request)?;
        await_word(&self.socket)?;
        Ok((Programs::only(self.program), request, tmp))
    }

    /// Waits for a message. A program that says something meanwhile, or ends, is of no use.
    fn wait(&self, control: BorrowedFd<'_>) -> Result<(), Fault> {
        let mut polled =
            [PollFd::from_borrowed_fd(control, PollFlags::IN), PollFd::new(&self.socket, PollFlags::IN)];
        rustix::io::retry_on_intr(|| rustix::event::poll(&mut polled, None)).at(Step::Exchange)?;
        if polled[1].revents().is_empty() { Ok(()) } else { Err(Fault::new(Step::Program, libc::ECHILD)) }
    }

    /// The working directory and the variables, each with a NUL behind it.
    fn tell(&self, request: &Enter) -> Result<(), Fault> {
        let texts = [&request.working_dir].into_iter().chain(&request.env);
        let bytes: Vec<u8> = texts.flat_map(|text| text.as_bytes().iter().chain(&[0])).copied().collect();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let sent =
                rustix::io::retry_on_intr(|| rustix::net::send(&self.socket, rest, SendFlags::NOSIGNAL))
                    .at(Step::Program)?;
            rest = &rest[sent..];
        }
        rustix::net::shutdown(&self.socket, Shutdown::Write).at(Step::Program)
    }
}

/// Waits for the program to say that it has come so far. One that ends instead closes its socket.
fn await_word(socket: &OwnedFd) -> Result<(), Fault> {
    let mut word = [0; 1];
    let (count, _) =
        rustix::io::retry_on_intr(|| rustix::net::recv(socket.as_fd(), &mut word, RecvFlags::empty()))
            .at(Step::Program)?;
    if count == 1 { Ok(()) } else { Err(Fault::new(Step::Program, libc::ECHILD)) }
}
