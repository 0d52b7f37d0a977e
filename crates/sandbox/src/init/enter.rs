//! The half of a sandbox that makes it one function's.

use std::os::fd::OwnedFd;

use rustix::fs::CWD;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::programs::Programs;
use super::{Setup, confine, die_with_parent};
use crate::error::{At, Fault, Step};
use crate::message::Enter;
use crate::spec::{CODE, LAYERS, RUNTIME, TMP};

/// Mounts what is the function's, gives up what is not needed any more, and starts the program, or its companions.
///
/// Returns once they have been executed, with sockets of this network for the daemon, and behind them `/tmp` where there are mounts.
pub fn enter(
    setup: &Setup<'_>,
    request: &Enter,
    descriptors: Vec<OwnedFd>,
) -> Result<(Programs, Vec<OwnedFd>), Fault> {
    let mut descriptors = descriptors.into_iter();
    let missing = Fault::new(Step::Exchange, libc::EPROTO);
    let output = descriptors.next().ok_or(missing)?;
    let companions_output =
        if request.companions.is_empty() { None } else { Some(descriptors.next().ok_or(missing)?) };
    let mut given = connectors(setup, request)?;
    confine::limit(setup, request)?;
    confine::give_way();
    if setup.mode.has_namespaces() {
        mount_own(request, &mut descriptors)?;
        given.push(mount_tmp(setup, request, &mut descriptors)?);
        confine_self(setup)?;
    } else {
        confine::hide()?;
    }
    super::watch::prepare()?;
    Ok((Programs::start(setup, request, output, companions_output)?, given))
}

/// Sockets that are not connected. A socket stays in the network in which it was made, whoever connects it.
fn connectors(setup: &Setup<'_>, request: &Enter) -> Result<Vec<OwnedFd>, Fault> {
    let count = if setup.mode.has_namespaces() { request.connectors } else { 0 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = |_| rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None);
    (0..count).map(socket).collect::<Result<_, _>>().at(Step::Network)
}

/// Where there are namespaces: this process is from now on held as its program is.
pub fn confine_self(setup: &Setup<'_>) -> Result<(), Fault> {
    confine::give_up_privileges(setup.identity)?;
    confine::hide()?;
    die_with_parent(setup)?;
    confine::filter(setup.filter)
}

/// Mounts code, layers and the runtime's files, as far as they are given.
pub fn mount_own(request: &Enter, trees: &mut impl Iterator<Item = OwnedFd>) -> Result<(), Fault> {
    let places = [(request.has_code, CODE), (request.has_layers, LAYERS), (request.has_runtime, RUNTIME)];
    for (_, place) in places.into_iter().filter(|(given, _)| *given) {
        let tree = trees.next().ok_or(Fault::new(Step::Exchange, libc::EPROTO))?;
        rustix::mount::move_mount(&tree, "", CWD, place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .at(Step::Code)?;
    }
    Ok(())
}

/// Mounts `/tmp`: an earlier sandbox's if it is given, else a new one. Answers with another hold of it, by which a later sandbox can
/// have it.
pub fn mount_tmp(
    setup: &Setup<'_>,
    request: &Enter,
    given: &mut impl Iterator<Item = OwnedFd>,
) -> Result<OwnedFd, Fault> {
    let mount = if request.has_tmp {
        given.next().ok_or(Fault::new(Step::Exchange, libc::EPROTO))?
    } else {
        new_tmp(setup, request)?
    };
    rustix::mount::move_mount(&mount, "", CWD, TMP, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).at(Step::Tmp)?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    rustix::mount::open_tree(CWD, TMP, flags).at(Step::Tmp)
}

fn new_tmp(setup: &Setup<'_>, request: &Enter) -> Result<OwnedFd, Fault> {
    /// An empty file costs the kernel about 1 KiB, which is why their number has a bound too.
    const BYTES_PER_FILE: u64 = 4096;
    const FILES_MIN: u64 = 1024;
    let identity = setup.identity.ok_or(Fault::new(Step::Tmp, libc::EINVAL))?;
    let context = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).at(Step::Tmp)?;
    let options = [
        ("size", request.tmp_bytes.to_string()),
        ("nr_inodes", (request.tmp_bytes / BYTES_PER_FILE).max(FILES_MIN).to_string()),
        ("mode", "0700".to_owned()),
        ("uid", identity.user.to_string()),
        ("gid", identity.group.to_string()),
    ];
    for (key, value) in &options {
        rustix::mount::fsconfig_set_string(&context, *key, value).at(Step::Tmp)?;
    }
    rustix::mount::fsconfig_create(&context).at(Step::Tmp)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).at(Step::Tmp)
}
