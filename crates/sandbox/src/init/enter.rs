//! The half of a sandbox that makes it one function's.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags};
use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use super::{Setup, c_string, c_strings, confine, die_with_parent};
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::message::Enter;
use crate::spec::{CODE, IDENTITY_DESCRIPTOR, LAYERS, RUNTIME, TMP};

/// Mounts what is the function's, gives up what is not needed any more, and starts the program.
///
/// Returns the program's process once it has been executed.
pub fn enter(setup: &Setup<'_>, request: &Enter, descriptors: Vec<OwnedFd>) -> Result<Pid, Fault> {
    let mut descriptors = descriptors.into_iter();
    let output = descriptors.next().ok_or(Fault::new(Step::Exchange, libc::EPROTO))?;
    confine::limit(setup, request)?;
    confine::give_way();
    if setup.mode.has_namespaces() {
        mount_own(request, &mut descriptors)?;
        mount_tmp(setup, request)?;
        confine_self(setup)?;
    } else {
        confine::hide()?;
        super::watch::prepare_to_supervise()?;
    }
    start(setup, request, output, None)
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

pub fn mount_tmp(setup: &Setup<'_>, request: &Enter) -> Result<(), Fault> {
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
    let mount = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).at(Step::Tmp)?;
    rustix::mount::move_mount(&mount, "", CWD, TMP, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).at(Step::Tmp)
}

/// Forks the program's process and waits until it has been executed, or has said why not. One that is to wait for its function
/// is given the end of the socket by which it will be told.
pub fn start(
    setup: &Setup<'_>,
    request: &Enter,
    output: OwnedFd,
    told_by: Option<OwnedFd>,
) -> Result<Pid, Fault> {
    let program = c_string(&request.program)?;
    let mut arguments = vec![program.clone()];
    arguments.extend(c_strings(&request.args)?);
    let environment = c_strings(&request.env)?;

    let (failure, failed) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).at(Step::Fork)?;
    match kernel::fork().at(Step::Fork)? {
        None => {
            let fault = match become_guest(setup, request, &output, &failed, told_by.as_ref()) {
                Err(fault) => fault,
                Ok(()) => {
                    Fault::new(Step::Program, errno(&kernel::execute(&program, &arguments, &environment)))
                }
            };
            let mut words = [0; 8];
            words[0] = fault.step as u8;
            words[4..].copy_from_slice(&fault.errno.to_le_bytes());
            let _ = rustix::io::write(&failed, &words);
            kernel::exit_now(127)
        }
        Some(pid) => {
            drop((failed, output, told_by));
            let mut words = [0; 8];
            match rustix::io::retry_on_intr(|| rustix::io::read(&failure, &mut words)).at(Step::Fork)? {
                0 => Ok(pid),
                _ => {
                    let [step, _, _, _, errno @ ..] = words;
                    let step = Step::from_byte(step).unwrap_or(Step::Program);
                    Err(Fault::new(step, i32::from_le_bytes(errno)))
                }
            }
        }
    }
}

/// What the program's process does before it becomes the program.
fn become_guest(
    setup: &Setup<'_>,
    request: &Enter,
    output: &OwnedFd,
    failed: &OwnedFd,
    told_by: Option<&OwnedFd>,
) -> Result<(), Fault> {
    use std::os::fd::AsRawFd as _;
    kernel::place(output.as_fd(), 1).at(Step::Streams)?;
    kernel::place(output.as_fd(), 2).at(Step::Streams)?;
    if let Some(told_by) = told_by {
        kernel::place(told_by.as_fd(), IDENTITY_DESCRIPTOR).at(Step::Streams)?;
    }
    let kept = [Some(failed.as_raw_fd()), told_by.map(|_| IDENTITY_DESCRIPTOR)];
    kernel::close_inherited(3, &kept.into_iter().flatten().collect::<Vec<_>>()).at(Step::Streams)?;
    rustix::process::setsid().at(Step::Streams)?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    kernel::reset_signals();
    if !setup.mode.has_namespaces() || told_by.is_some() {
        confine::give_up_privileges(setup.identity)?;
        confine::landlock(setup.mode, request)?;
        confine::filter(setup.filter)?;
    }
    rustix::process::chdir(&*request.working_dir).at(Step::WorkingDirectory)
}

fn errno(error: &std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}
