//! Messages with descriptors over a unix sequenced-packet socket: what daemon, spawner and sandbox talk through.
//!
//! One message is one packet, so there is no framing and no half message. Descriptors that arrive are close-on-exec.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// The longest message in bytes. Below the kernel's default socket buffer (208 KiB), so that a packet always fits.
pub const MESSAGE_BYTES_MAX: usize = 128 * 1024;
/// The most descriptors that travel with one message. The kernel's own limit is 253.
pub const DESCRIPTORS_MAX: usize = 16;

/// A message as it arrived: its length in the buffer and the descriptors that came with it.
pub struct Received {
    pub length: usize,
    pub descriptors: Vec<OwnedFd>,
    /// Descriptors came that this process has no room for; none of the message's are given out then.
    pub is_cut: bool,
}

/// Two connected ends, both close-on-exec.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message whole.
///
/// # Errors
/// `E2BIG` for a message that is too long, `WouldBlock` on a non-blocking socket whose buffer is full, `BrokenPipe` when the other end is gone.
pub fn send(socket: impl AsFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(io::Error::from_raw_os_error(libc::E2BIG));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    rustix::io::retry_on_intr(|| {
        sendmsg(socket.as_fd(), &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)
    })?;
    Ok(())
}

/// Receives one message. `None` when the other end is gone.
///
/// # Errors
/// `WouldBlock` on a non-blocking socket that has nothing to read; an error when a message is longer than `buffer`.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Option<Received>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = rustix::io::retry_on_intr(|| {
        recvmsg(socket.as_fd(), &mut [IoSliceMut::new(buffer)], &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    let mut descriptors = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            descriptors.extend(rights);
        }
    }
    if message.flags.contains(ReturnFlags::TRUNC) {
        return Err(io::Error::other("message longer than agreed"));
    }
    let is_cut = message.flags.contains(ReturnFlags::CTRUNC);
    if is_cut {
        descriptors.clear();
    }
    // No message of ours is empty, so nothing received means that the other end is closed.
    if message.bytes == 0 {
        return Ok(None);
    }
    Ok(Some(Received { length: message.bytes, descriptors, is_cut }))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;

    /// For a process of its own: nothing else in it can open anything meanwhile.
    #[test]
    fn descriptors_without_room_are_said_and_the_next_message_comes() {
        let (near, far) = pair().unwrap();
        let files = [(); 3].map(|()| File::open("/dev/null").unwrap());
        let descriptors = [files[0].as_fd(), files[1].as_fd(), files[2].as_fd()];
        send(&near, b"one", &descriptors).unwrap();
        send(&near, b"two", &descriptors).unwrap();
        let limits = getrlimit(Resource::Nofile);
        let free = File::open("/dev/null").unwrap().as_raw_fd();
        let room = Rlimit { current: Some(free as u64 + 1), ..limits };
        setrlimit(Resource::Nofile, room).unwrap();
        let mut buffer = [0; 16];
        let cut = receive(&far, &mut buffer).unwrap().unwrap();
        assert_eq!((&buffer[..cut.length], cut.is_cut, cut.descriptors.len()), (&b"one"[..], true, 0));
        setrlimit(Resource::Nofile, limits).unwrap();
        let whole = receive(&far, &mut buffer).unwrap().unwrap();
        assert_eq!((&buffer[..whole.length], whole.is_cut, whole.descriptors.len()), (&b"two"[..], false, 3));
    }
}
