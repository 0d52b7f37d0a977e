//! The system calls that no safe crate offers. Every `unsafe` block of the launcher is here or says why it is not.

pub mod device;
pub mod slice;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use rustix::thread::{CapabilitiesSecureBits, Uid};

/// A child made by [`clone_process`].
pub struct Child {
    pub pid: Pid,
    pub pidfd: OwnedFd,
}

/// `struct clone_args` of clone3(2), as of Linux 5.7.
#[repr(C, align(8))]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// As of Linux 5.7; libc's constant is too narrow.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes a child like fork(2) does, in new namespaces of the kinds in `flags` and, if given, in the v2 control group that the
/// directory `group` is. The child runs `body` and ends with it.
///
/// Filters of system calls that look at flags can't look at those of clone3(2) and say that there is no such call, as containers do:
/// then clone(2) makes the child.
///
/// The calling process must have one thread only: the child has a copy of its memory, and any lock that another thread
/// held would stay locked there for ever.
pub fn clone_process(
    flags: u64,
    group: Option<BorrowedFd<'_>>,
    body: impl FnOnce() -> std::convert::Infallible,
) -> io::Result<Child> {
    let mut pidfd: RawFd = -1;
    let mut arguments = CloneArguments {
        flags: flags | libc::CLONE_PIDFD.cast_unsigned() as u64,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: libc::SIGCHLD.cast_unsigned() as u64,
        ..CloneArguments::default()
    };
    if let Some(group) = group {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = group.as_raw_fd().cast_unsigned() as u64;
    }
    // SAFETY: `arguments` is a valid clone_args of the given size and `pidfd` outlives the call. Without CLONE_VM the child
    // has its own copy of this stack, so returning twice is as sound as fork is; the caller has a single thread (see above).
    let mut result =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<CloneArguments>()) };
    let is_filtered = result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS);
    if is_filtered {
        let flags = (arguments.flags & !CLONE_INTO_CGROUP) | arguments.exit_signal;
        // SAFETY: as above. `pidfd` is the third argument on every architecture, and the others are for threads.
        result = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) };
    }
    match result {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // A panic must not unwind into the copy of the parent's frames.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            exit_now(120)
        }
        pid => {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("clone3 returns a positive pid");
            // SAFETY: with CLONE_PIDFD a successful clone3 or clone has stored a new descriptor that nobody else owns.
            let child = Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } };
            if let Some(group) = group.filter(|_| is_filtered) {
                put_into(group, &child)?;
            }
            Ok(child)
        }
    }
}

/// Puts a child into a control group that it wasn't born in. Where that fails the child is killed.
fn put_into(group: BorrowedFd<'_>, child: &Child) -> io::Result<()> {
    let pid = child.pid.as_raw_nonzero().to_string();
    let entered = rustix::fs::openat(group, "cgroup.procs", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        .and_then(|members| rustix::io::write(members, pid.as_bytes()));
    entered.map(drop).map_err(|errno| {
        let _ = rustix::process::kill_process(child.pid, rustix::process::Signal::KILL);
        let _ = rustix::process::waitpid(Some(child.pid), rustix::process::WaitOptions::empty());
        errno.into()
    })
}

/// Makes another user the owner of the user namespaces that this thread makes from now on: what the kernel counts for each user (watches, queued
/// signals, messages) it counts once more for the owner. Nothing else changes: the thread may do the same, to the same files.
/// 0 takes it back.
pub fn own_namespaces_as(user: u32) -> io::Result<()> {
    let bits = rustix::thread::capabilities_secure_bits()?;
    // Else the capabilities would go with the user.
    rustix::thread::set_capabilities_secure_bits(bits | CapabilitiesSecureBits::NO_SETUID_FIXUP)?;
    let (user, root) = (Uid::from_raw(user), Uid::ROOT);
    // The saved one, too: the kernel asks for it where a process is moved between control groups.
    rustix::thread::set_thread_res_uid(root, user, user)?;
    // SAFETY: the call changes this thread's own user for files, nothing in memory.
    unsafe { libc::setfsuid(0) };
    Ok(())
}

/// Ends this process without running destructors or exit handlers, which belong to the process it was copied from.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Makes a copy of this process. `None` in the child. The same rule on threads as for [`clone_process`] holds.
pub fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: the callers are spawner children with a single thread; the child only execs or ends.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(pid).expect("fork returns a positive pid"))),
    }
}

/// Replaces this process by a program. Returns only on failure.
pub fn execute(program: &CString, arguments: &[CString], environment: &[CString]) -> io::Error {
    let pointers = |texts: &[CString]| {
        texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>()
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: all pointers are to NUL-terminated strings that live until the call ends, and both arrays end with null.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Reads another process's memory. Needs the right to trace it.
pub fn read_memory(process: Pid, address: u64, into: &mut [u8]) -> io::Result<()> {
    let (own, theirs) = vectors(into.as_mut_ptr(), address, into.len());
    // SAFETY: `own` is memory that may be written for as long as the call lasts; what `theirs` is the kernel checks.
    let count = unsafe {
        libc::process_vm_readv(process.as_raw_nonzero().get(), &raw const own, 1, &raw const theirs, 1, 0)
    };
    all_of(count, into.len())
}

/// Writes another process's memory. Needs the right to trace it.
pub fn write_memory(process: Pid, address: u64, bytes: &[u8]) -> io::Result<()> {
    let (own, theirs) = vectors(bytes.as_ptr().cast_mut(), address, bytes.len());
    // SAFETY: `own` is only read, and lives as long as the call lasts; what `theirs` is the kernel checks.
    let count = unsafe {
        libc::process_vm_writev(process.as_raw_nonzero().get(), &raw const own, 1, &raw const theirs, 1, 0)
    };
    all_of(count, bytes.len())
}

fn vectors(own: *mut u8, address: u64, length: usize) -> (libc::iovec, libc::iovec) {
    let own = libc::iovec { iov_base: own.cast(), iov_len: length };
    (own, libc::iovec { iov_base: address as *mut libc::c_void, iov_len: length })
}

fn all_of(count: isize, wanted: usize) -> io::Result<()> {
    match usize::try_from(count) {
        Err(_) => Err(io::Error::last_os_error()),
        Ok(count) if count == wanted => Ok(()),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
    }
}

/// Attributes of a mount and all mounts below it.
#[derive(Clone, Copy)]
pub enum MountAttributes {
    /// Nothing may be written, no set-user-id, no devices.
    ReadOnly,
    /// As `ReadOnly`, but device files work.
    ReadOnlyWithDevices,
    /// Mounts made on the host later appear here, mounts made here do not appear on the host.
    Slave,
}

/// Sets attributes of the mount at `path` (relative to `directory`; empty for the directory itself) and of all below it.
pub fn set_mount_attributes(directory: impl AsFd, path: &str, attributes: MountAttributes) -> io::Result<()> {
    let path = CString::new(path)?;
    let strict = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID;
    let (set, propagation) = match attributes {
        MountAttributes::ReadOnly => (strict | libc::MOUNT_ATTR_NODEV, libc::MS_PRIVATE),
        MountAttributes::ReadOnlyWithDevices => (strict, libc::MS_PRIVATE),
        MountAttributes::Slave => (0, libc::MS_SLAVE),
    };
    let mut arguments = libc::mount_attr { attr_set: set, attr_clr: 0, propagation, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: `path` is NUL-terminated and `arguments` a valid mount_attr of the given size; both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory.as_fd().as_raw_fd(),
            path.as_ptr(),
            flags,
            &raw mut arguments,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Closes every descriptor from `first` on that is not in `keep`.
///
/// Only for a process that is a copy of another and uses nothing of what it inherited: the owners of those descriptors live
/// in the original.
pub fn close_inherited(first: RawFd, keep: &[RawFd]) -> io::Result<()> {
    let mut keep: Vec<RawFd> = keep.iter().copied().filter(|fd| *fd >= first).collect();
    keep.sort_unstable();
    let mut from = first;
    for fd in keep {
        close_range(from, fd - 1)?;
        from = fd + 1;
    }
    close_range(from, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: closing is what the caller promised to be harmless; the numbers are not negative.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Makes descriptor `number` (0, 1, 2, or one that nothing in this process owns) a copy of `source`, which stays open. The copy
/// survives execution.
pub fn place(source: impl AsFd, number: RawFd) -> io::Result<()> {
    // SAFETY: dup2 onto a standard stream replaces it; std's handles of these refer to it by number only. Another number is
    // nobody's, as the caller says.
    let result = unsafe { libc::dup2(source.as_fd().as_raw_fd(), number) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Brings the loopback interface of this network namespace up.
pub fn loopback_up(socket: impl AsFd) -> io::Result<()> {
    // SAFETY: all-zero is a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (target, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *target = byte.cast_signed();
    }
    let flags = libc::IFF_UP | libc::IFF_RUNNING;
    request.ifr_ifru.ifru_flags = i16::try_from(flags).expect("both flags are below 2^15");
    // SAFETY: SIOCSIFFLAGS reads an ifreq, which `request` is.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Installs a system-call filter for this process, for good. Needs no-new-privileges or the capability to do without.
pub fn install_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` points at `len` instructions, which the kernel only reads and checks.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Gives this process and what comes from it the policy by which the woken don't interrupt the waker (sched(7), `SCHED_BATCH`).
pub fn run_in_batches() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the call reads a sched_param, which `parameters` is; 0 is the caller.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Gives a thread (0 is the calling one) the policy by which it runs before all that have none of the kind or a lower priority (sched(7),
/// `SCHED_RR`); what it makes doesn't inherit that.
pub fn serve_first(thread: i32, priority: i32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the call reads a sched_param, which `parameters` is.
    let result = unsafe { libc::sched_setscheduler(thread, policy, &raw const parameters) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Gives these signals their default action. Programs that this process becomes begin with it too.
pub fn default_signals(signals: &[i32]) {
    for signal in signals {
        // SAFETY: the default action is allowed for every number.
        unsafe { libc::signal(*signal, libc::SIG_DFL) };
    }
}

/// Gives every signal its default action and lets all through: what a program expects to begin with.
pub fn reset_signals() {
    // Where it can't be set (KILL, STOP) the call only fails.
    default_signals(&(1..=libc::SIGRTMAX()).collect::<Vec<_>>());
    // SAFETY: an all-zero sigset is made valid by sigemptyset before it is used.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Ignores these signals. Children inherit it, and so do programs they execute.
pub fn ignore_signals(signals: &[i32]) {
    for signal in signals {
        // SAFETY: ignoring is allowed for every number but KILL and STOP, where the call only fails.
        unsafe { libc::signal(*signal, libc::SIG_IGN) };
    }
}

/// Blocks these signals, to be taken by [`next_signal`].
pub fn block_signals(signals: &[i32]) -> io::Result<()> {
    let set = signal_set(signals);
    // SAFETY: `set` is a valid sigset.
    let result = unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits for one of these blocked signals. `None` when `milliseconds` pass without.
pub fn next_signal(signals: &[i32], milliseconds: Option<u32>) -> Option<i32> {
    let set = signal_set(signals);
    let limit = milliseconds.map(|milliseconds| libc::timespec {
        tv_sec: i64::from(milliseconds / 1000),
        tv_nsec: i64::from(milliseconds % 1000) * 1_000_000,
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: `set` is valid, no information is asked for, and `limit` is null or a valid timespec.
    let signal = unsafe { libc::sigtimedwait(&raw const set, std::ptr::null_mut(), limit) };
    (signal > 0).then_some(signal)
}

fn signal_set(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: sigemptyset makes the all-zero set valid before signals are added to it.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        set
    }
}

/// The most memory that any child which has been waited for had resident, in bytes.
pub fn children_peak_bytes() -> u64 {
    // SAFETY: all-zero is a valid rusage, and getrusage fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(1024)
}

/// The version of landlock that this kernel has switched on. `None` without any.
pub fn landlock_version() -> Option<u32> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call takes no attributes and only answers a number.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

/// The size of a page of memory.
///
/// From the C library, which has it from the kernel's start of this program: a process that hides itself cannot read it anew.
pub fn page_bytes() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}
