//! The half of a sandbox that is the same for every function.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, UnmountFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::thread::UnshareFlags;

use super::{Setup, await_go, die_with_parent, kept};
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::mounts::{STAGE, TUN};
use crate::spec::RUNTIME_API_PORT;

/// What the host's name is, inside.
const HOST_NAME: &[u8] = b"localhost";

/// Builds everything but the function's own, listens for the Runtime API, and makes the device of the way out, if there shall
/// be one and can.
pub fn prepare(setup: &Setup<'_>) -> Result<(TcpListener, Option<OwnedFd>), Fault> {
    kernel::close_inherited(3, &kept(setup)).at(Step::Clone)?;
    if !setup.mode.has_namespaces() {
        // Its orders come as a signal that the spawner ignores.
        kernel::reset_signals();
    }
    die_with_parent(setup)?;
    if setup.mode.maps_users() {
        await_go(setup.control)?;
    }
    join_groups(setup)?;
    die_first();
    if !setup.mode.has_namespaces() {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).at(Step::Clone)?;
        let listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).at(Step::Network)?;
        return Ok((listener, None));
    }
    // The group's path says much about the host.
    // SAFETY: this process has one thread and shares nothing; a new cgroup namespace changes only what it reads about itself.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWCGROUP) }.at(Step::ControlGroup)?;
    let _ = rustix::system::sethostname(HOST_NAME);
    let listener = listen()?;
    // Whether it can be made here was found out by the first sandbox, and said.
    let device = setup.outside.and_then(|outside| kernel::device::make(Path::new(TUN), outside).ok());
    leave_the_host(setup)?;
    Ok((listener, device))
}

fn join_groups(setup: &Setup<'_>) -> Result<(), Fault> {
    for entrance in &setup.entrances {
        let file = std::fs::OpenOptions::new().write(true).open(entrance).at(Step::ControlGroup)?;
        // 0 is whoever writes.
        (&file).write_all(b"0").at(Step::ControlGroup)?;
    }
    Ok(())
}

/// When the whole machine runs out of memory, functions go before anything else. A wish: raising is always allowed, but
/// `/proc` may not be writable.
fn die_first() {
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
}

/// Brings the private loopback up and listens on it.
fn listen() -> Result<TcpListener, Fault> {
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .at(Step::Network)?;
    kernel::loopback_up(socket.as_fd()).at(Step::Network)?;
    send_unpaced();
    TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, RUNTIME_API_PORT)).at(Step::Network)
}

/// Within one machine nothing is gained by pacing, which some hosts' default (BBR) does with a timer for each packet.
/// A wish: Reno is in every kernel, but `/proc` may not be writable.
fn send_unpaced() {
    let _ = std::fs::write("/proc/sys/net/ipv4/tcp_congestion_control", "reno");
}

/// Mounts the prepared root with a `/proc` of this pid namespace, makes it the root and lets go of the host's.
fn leave_the_host(setup: &Setup<'_>) -> Result<(), Fault> {
    let root = setup.root.as_ref().ok_or(Fault::new(Step::Root, libc::EBADF))?;
    rustix::mount::move_mount(root, "", CWD, STAGE, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .at(Step::Root)?;
    rustix::process::chdir(STAGE).at(Step::Root)?;
    mount_proc()?;
    // With both names the same, the old root ends up on top of the new one and is the first to be taken off.
    rustix::process::pivot_root(".", ".").at(Step::Pivot)?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).at(Step::Pivot)?;
    rustix::process::chdir("/").at(Step::Pivot)?;
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .at(Step::Streams)?;
    (0..3).try_for_each(|number| kernel::place(&null, number)).at(Step::Streams)
}

/// Must come before the host's own `/proc` is out of sight: in a user namespace the kernel allows no new one otherwise.
fn mount_proc() -> Result<(), Fault> {
    let context = rustix::mount::fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC).at(Step::Proc)?;
    rustix::mount::fsconfig_create(&context).at(Step::Proc)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let mount = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).at(Step::Proc)?;
    rustix::mount::move_mount(&mount, "", CWD, "proc", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).at(Step::Proc)
}
