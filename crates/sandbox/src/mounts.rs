//! The read-only roots that sandboxes get a copy of.
//!
//! The spawner has a mount namespace of its own. In it, over `/dev` (which every host has and nobody takes code from), lies a
//! small private file system with one finished root for each set of host paths in use. A sandbox gets a detached copy of
//! the whole tree by one `open_tree`; nothing has to be built while a function waits. The roots' files are shared between
//! sandboxes, which is sound because no copy can be written to.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use rustix::thread::UnshareFlags;

use crate::error::{At, Fault, Step};
use crate::kernel::{self, MountAttributes};
use crate::message::Mode as SandboxMode;
use crate::spec::Outside;

/// Where roots are kept in the spawner's mount namespace, and where a sandbox puts its own before it moves in.
pub const STAGE: &str = "/dev";

/// Where the device of networks' ways out lies in the spawner's mount namespace, if the host has it.
pub const TUN: &str = "/dev/tun";
const HOSTS_TUN: &str = "/dev/net/tun";

const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// Sets of host paths kept ready. Each interpreter is one; more than these come and go.
const ROOTS_MAX: usize = 8;

/// Ids of the guest's user and group inside its user namespace, as on AWS.
pub const GUEST_USER: u32 = 993;
pub const GUEST_GROUP: u32 = 990;

const DIRECTORIES: [&str; 9] = ["dev", "etc", "opt", "proc", "tmp", "var", "var/task", "var/runtime", "home"];

const RESOLVER: &str = "etc/resolv.conf";

const FILES: [(&str, &str); 5] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n",
    ),
    ("etc/group", "root:x:0:\nsbx_user1051:x:990:\n"),
    ("etc/hosts", "127.0.0.1 localhost sandbox sandbox.localdomain\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    (RESOLVER, ""),
];

const LINKS: [(&str, &str); 4] = [
    ("/proc/self/fd", "dev/fd"),
    ("/proc/self/fd/0", "dev/stdin"),
    ("/proc/self/fd/1", "dev/stdout"),
    ("/proc/self/fd/2", "dev/stderr"),
];

/// The finished roots.
pub struct Roots {
    roots: Vec<Root>,
    next: u64,
    /// Who is asked for names.
    names: Option<Ipv4Addr>,
}

struct Root {
    id: u64,
    host_paths: Vec<PathBuf>,
    /// Device and inode of each path when the root was built: an upgrade may have put another directory in its place.
    seen: Vec<Option<(u64, u64)>>,
}

/// Moves this process into a mount namespace of its own, and at the unprivileged level into a user namespace that owns it.
pub fn set_up(mode: SandboxMode, outside: Option<&Outside>) -> Result<Roots, Fault> {
    let mut kinds = UnshareFlags::NEWNS;
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    if mode == SandboxMode::User {
        kinds |= UnshareFlags::NEWUSER;
    }
    // SAFETY: the spawner has one thread; neither flag is about descriptors, which std relies on.
    unsafe { rustix::thread::unshare_unsafe(kinds) }.at(Step::Clone)?;
    if mode == SandboxMode::User {
        std::fs::write("/proc/self/setgroups", "deny").at(Step::IdentityMap)?;
        std::fs::write("/proc/self/uid_map", format!("{user} {user} 1")).at(Step::IdentityMap)?;
        std::fs::write("/proc/self/gid_map", format!("{group} {group} 1")).at(Step::IdentityMap)?;
    }
    kernel::set_mount_attributes(CWD, "/", MountAttributes::Slave).at(Step::Root)?;

    let devices = DEVICES.map(|name| (name, clone_tree(&Path::new("/dev").join(name), false)));
    let tun = outside.and_then(|_| clone_tree(Path::new(HOSTS_TUN), false).ok());
    let stage = new_file_system()?;
    attach(&stage, CWD, STAGE)?;
    for (name, device) in devices {
        let place = device_place(name);
        std::fs::write(&place, "").at(Step::Root)?;
        attach(&device?, CWD, &place)?;
    }
    if let Some(tun) = tun {
        std::fs::write(TUN, "").at(Step::Root)?;
        attach(&tun, CWD, TUN)?;
    }
    Ok(Roots { roots: Vec::new(), next: 0, names: outside.map(|outside| outside.router) })
}

/// The root of this id.
fn place(id: u64) -> PathBuf {
    Path::new(STAGE).join(format!("root-{id}"))
}

fn device_place(name: &str) -> PathBuf {
    Path::new(STAGE).join(name)
}

impl Roots {
    /// The id of the root that shows these host paths, built if need be. `Err` names what could not be shown.
    ///
    /// The second value is the id of a root that went out of use for it.
    pub fn find(&mut self, host_paths: &[PathBuf]) -> Result<(u64, Option<u64>), Fault> {
        if let Some(index) = self.roots.iter().position(|root| root.host_paths == host_paths) {
            let root = self.roots.remove(index);
            if root.seen == identities(host_paths) {
                let id = root.id;
                self.roots.push(root);
                return Ok((id, None));
            }
            self.drop_root(&root);
            let id = self.build(host_paths)?;
            return Ok((id, Some(root.id)));
        }
        // The one used longest ago makes room.
        let gone = (self.roots.len() >= ROOTS_MAX).then(|| self.roots.remove(0));
        if let Some(root) = &gone {
            self.drop_root(root);
        }
        Ok((self.build(host_paths)?, gone.map(|root| root.id)))
    }

    fn drop_root(&self, root: &Root) {
        let _ = rustix::mount::unmount(place(root.id), UnmountFlags::DETACH);
        let _ = std::fs::remove_dir(place(root.id));
    }

    fn build(&mut self, host_paths: &[PathBuf]) -> Result<u64, Fault> {
        let id = self.next;
        self.next += 1;
        let root = Root { id, host_paths: host_paths.to_vec(), seen: identities(host_paths) };
        std::fs::create_dir(place(id)).at(Step::Root)?;
        let built = build(&place(id), host_paths, self.names);
        if let Err(fault) = built {
            self.drop_root(&root);
            return Err(fault);
        }
        self.roots.push(root);
        Ok(id)
    }

    /// A detached copy of a root, to be given to a sandbox.
    pub fn copy(&self, id: u64) -> Result<OwnedFd, Fault> {
        clone_tree(&place(id), true)
    }
}

fn identities(paths: &[PathBuf]) -> Vec<Option<(u64, u64)>> {
    paths
        .iter()
        .map(|path| std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino())))
        .collect()
}

/// A detached, read-only copy of the mount at a directory of the host, for a sandbox's code.
pub fn code_tree(directory: &Path) -> Result<OwnedFd, Fault> {
    let found = std::fs::metadata(directory).at(Step::Code)?;
    if !found.is_dir() {
        return Err(Fault::new(Step::Code, libc::ENOTDIR));
    }
    // Mounts below the directory are not the function's. In a user namespace the kernel insists on showing them.
    let tree = match clone_tree(directory, false) {
        Err(fault) if fault.errno == libc::EINVAL => clone_tree(directory, true),
        other => other,
    };
    let tree = tree.map_err(|fault| Fault::new(Step::Code, fault.errno))?;
    kernel::set_mount_attributes(&tree, "", MountAttributes::ReadOnly).at(Step::Code)?;
    Ok(tree)
}

fn clone_tree(path: &Path, recursive: bool) -> Result<OwnedFd, Fault> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(CWD, path, flags).at(Step::Root)
}

fn new_file_system() -> Result<OwnedFd, Fault> {
    let context = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).at(Step::Root)?;
    for (key, value) in [("mode", "0755"), ("size", "1m")] {
        rustix::mount::fsconfig_set_string(&context, key, value).at(Step::Root)?;
    }
    rustix::mount::fsconfig_create(&context).at(Step::Root)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).at(Step::Root)
}

fn attach(tree: &OwnedFd, directory: impl AsFd, place: impl AsRef<Path>) -> Result<(), Fault> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(tree, "", directory, place.as_ref(), flags).at(Step::Root)
}

fn build(place: &Path, host_paths: &[PathBuf], names: Option<Ipv4Addr>) -> Result<(), Fault> {
    let file_system = new_file_system()?;
    attach(&file_system, CWD, place)?;
    for directory in DIRECTORIES {
        std::fs::create_dir(place.join(directory)).at(Step::Root)?;
    }
    for (path, text) in FILES {
        std::fs::write(place.join(path), text).at(Step::Root)?;
    }
    if let Some(names) = names {
        std::fs::write(place.join(RESOLVER), format!("nameserver {names}\n")).at(Step::Root)?;
    }
    for (target, path) in LINKS {
        std::os::unix::fs::symlink(target, place.join(path)).at(Step::Root)?;
    }
    for name in DEVICES {
        let path = place.join("dev").join(name);
        std::fs::write(&path, "").at(Step::Root)?;
        attach(&clone_tree(&device_place(name), false)?, CWD, &path)?;
    }
    show_host_paths(place, host_paths)?;
    kernel::set_mount_attributes(&file_system, "", MountAttributes::ReadOnlyWithDevices).at(Step::Root)
}

fn show_host_paths(root: &Path, host_paths: &[PathBuf]) -> Result<(), Fault> {
    let mut sorted: Vec<&PathBuf> = host_paths.iter().collect();
    sorted.sort_by_key(|path| path.components().count());
    let mut shown: Vec<&Path> = Vec::new();
    let top = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .at(Step::Root)?;
    for path in sorted {
        if shown.iter().any(|above| path.starts_with(above)) {
            continue;
        }
        show(&top, path, host_paths)?;
        shown.push(path);
    }
    Ok(())
}

/// Shows one file or directory of the host at the place it has there. A link stays a link if what it leads to is shown too.
fn show(top: &OwnedFd, path: &Path, all: &[PathBuf]) -> Result<(), Fault> {
    let parent = make_directories(top, path.parent().unwrap_or(Path::new("/")))?;
    let name = path.file_name().ok_or(Fault::new(Step::Root, libc::EINVAL))?;
    let found = std::fs::symlink_metadata(path).at(Step::Root)?;
    if found.is_symlink() {
        let target = std::fs::canonicalize(path).at(Step::Root)?;
        if all.iter().any(|other| other != path && target.starts_with(other)) {
            let link = std::fs::read_link(path).at(Step::Root)?;
            return rustix::fs::symlinkat(&link, &parent, name).at(Step::Root);
        }
    }
    if std::fs::metadata(path).at(Step::Root)?.is_dir() {
        make_directory(&parent, name)?;
    } else {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        // `/etc/hosts` and the like: the host's own takes the place of ours.
        match rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644)) {
            Ok(_) | Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(errno).at(Step::Root),
        }
    }
    let tree = clone_tree(path, true)?;
    kernel::set_mount_attributes(&tree, "", MountAttributes::ReadOnly).at(Step::Root)?;
    attach(&tree, &parent, Path::new(name))
}

/// Makes all directories down to this one. Never follows a link, which could lead out of the root.
fn make_directories(top: &OwnedFd, path: &Path) -> Result<OwnedFd, Fault> {
    let mut directory = rustix::io::fcntl_dupfd_cloexec(top, 3).at(Step::Root)?;
    for part in path.components() {
        if let Component::Normal(name) = part {
            make_directory(&directory, name)?;
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            directory = rustix::fs::openat(&directory, name, flags, Mode::empty()).at(Step::Root)?;
        }
    }
    Ok(directory)
}

fn make_directory(parent: &OwnedFd, name: &OsStr) -> Result<(), Fault> {
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::EXIST) => {
            let found = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).at(Step::Root)?;
            let kind = rustix::fs::FileType::from_raw_mode(found.st_mode);
            if kind.is_dir() { Ok(()) } else { Err(Fault::new(Step::Root, libc::ENOTDIR)) }
        }
        Err(errno) => Err(errno).at(Step::Root),
    }
}
