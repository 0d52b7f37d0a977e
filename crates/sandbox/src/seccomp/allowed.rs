//! The calls a guest may make. What is not named here fails with `EPERM`, or `ENOSYS` where a library then tries an older call.
//!
//! Taken over in substance from what container engines allow by default, less what a function never needs. Left out on
//! purpose: mounts and namespaces (`mount`, `umount2`, `pivot_root`, `unshare`, `setns`, `fsopen`, `open_tree`, `move_mount`,
//! `chroot`), other processes (`ptrace`, `process_vm_*`, `kcmp`, `pidfd_getfd`), kernel surface with a record of holes
//! (`bpf`, `io_uring_*`, `perf_event_open`, `userfaultfd`, `keyctl`, `add_key`, `request_key`), handles that get round a
//! root (`open_by_handle_at`), what has one bound for the whole host (`io_setup` and its kin), and the machine (`reboot`, `kexec_*`, `init_module`, `swapon`, `settimeofday`, `iopl`, …).

use libc::{self as c, c_long};

/// Allowed whatever the arguments are.
pub const ALLOWED: &[&[c_long]] =
    &[FILES, MEMORY, PROCESSES, SIGNALS_AND_TIME, SOCKETS, WAITING, IPC, LEGACY];

/// Answered with success without being done: they would write out what all of the host has in memory, again and again if a guest likes,
/// and of a guest's own there is nothing on any disk.
pub const PRETENDED: &[c_long] = &[c::SYS_sync, c::SYS_syncfs];

/// Allowed with a look at the arguments.
pub const CHECKED: &[Check] = &[
    Check { call: c::SYS_clone, rule: Rule::WithoutBits { argument: 0, bits: NAMESPACES } },
    Check { call: c::SYS_socket, rule: Rule::Socket },
    Check { call: c::SYS_socketpair, rule: Rule::OneOf { argument: 0, values: &[c::AF_UNIX as u32] } },
    // Linux, 32-bit, uname26, both and "tell me".
    Check {
        call: c::SYS_personality,
        rule: Rule::OneOf { argument: 0, values: &[0, 8, 0x2_0000, 0x2_0008, u32::MAX] },
    },
    // Putting characters into a terminal's input, and the console's.
    Check { call: c::SYS_ioctl, rule: Rule::NoneOf { argument: 1, values: &[0x5412, 0x541C] } },
    // Huge pages are the host's, set aside for others, and no control group counts them as memory.
    Check { call: c::SYS_mmap, rule: Rule::WithoutBits { argument: 3, bits: c::MAP_HUGETLB as u32 } },
    Check { call: c::SYS_memfd_create, rule: Rule::WithoutBits { argument: 1, bits: c::MFD_HUGETLB } },
    Check { call: c::SYS_shmget, rule: Rule::WithoutBits { argument: 2, bits: c::SHM_HUGETLB as u32 } },
    // A core of its own would have the processor's other thread stand still while it runs.
    Check { call: c::SYS_prctl, rule: Rule::NoneOf { argument: 0, values: &[c::PR_SCHED_CORE as u32] } },
    Check { call: c::SYS_setrlimit, rule: Rule::DumpsStay { resource: 0, wanted: None } },
    Check { call: c::SYS_prlimit64, rule: Rule::DumpsStay { resource: 1, wanted: Some([2, 3]) } },
];

/// `CLONE_NEW*` for mount, cgroup, uts, ipc, user, pid and network.
const NAMESPACES: u32 = (c::CLONE_NEWNS
    | c::CLONE_NEWCGROUP
    | c::CLONE_NEWUTS
    | c::CLONE_NEWIPC
    | c::CLONE_NEWUSER
    | c::CLONE_NEWPID
    | c::CLONE_NEWNET) as u32;

// The same on every architecture (syscall tables of Linux 6.7); libc has no names for them yet.
const CACHESTAT: c_long = 451;
const MAP_SHADOW_STACK: c_long = 453;
const FUTEX_WAKE: c_long = 454;
const FUTEX_WAIT: c_long = 455;
const FUTEX_REQUEUE: c_long = 456;

pub struct Check {
    pub call: c_long,
    pub rule: Rule,
}

pub enum Rule {
    /// None of these bits may be set.
    WithoutBits {
        argument: u8,
        bits: u32,
    },
    OneOf {
        argument: u8,
        values: &'static [u32],
    },
    NoneOf {
        argument: u8,
        values: &'static [u32],
    },
    /// Families and types as [`super::Network`] says.
    Socket,
    /// The limit on dumps isn't changed, though the caller is told so: with 0, which anybody may lower it to, the kernel feeds each
    /// dump to a program of the host's that collects them, as root and beside all sandboxes (core(5)). `wanted` are the pointers to the
    /// new limit and to where the old one goes: without the first the call only asks, and with both it is refused.
    DumpsStay {
        resource: u8,
        wanted: Option<[u8; 2]>,
    },
}

#[rustfmt::skip]
const FILES: &[c_long] = &[
    c::SYS_read, c::SYS_write, c::SYS_close, c::SYS_fstat, c::SYS_lseek, c::SYS_pread64, c::SYS_pwrite64, c::SYS_readv,
    c::SYS_writev, c::SYS_preadv, c::SYS_pwritev, c::SYS_preadv2, c::SYS_pwritev2, c::SYS_openat, c::SYS_openat2,
    c::SYS_close_range, c::SYS_statx, c::SYS_newfstatat, c::SYS_statfs, c::SYS_fstatfs, c::SYS_faccessat, c::SYS_faccessat2,
    c::SYS_readlinkat, c::SYS_getdents64, c::SYS_getcwd, c::SYS_chdir, c::SYS_fchdir, c::SYS_mkdirat, c::SYS_mknodat,
    c::SYS_unlinkat, c::SYS_renameat, c::SYS_renameat2, c::SYS_linkat, c::SYS_symlinkat, c::SYS_fchmod, c::SYS_fchmodat,
    c::SYS_fchown, c::SYS_fchownat, c::SYS_utimensat, c::SYS_truncate, c::SYS_ftruncate, c::SYS_fallocate, c::SYS_fadvise64,
    c::SYS_readahead, c::SYS_fsync, c::SYS_fdatasync, c::SYS_sync_file_range, c::SYS_flock,
    c::SYS_fcntl, c::SYS_dup, c::SYS_dup3, c::SYS_pipe2, c::SYS_sendfile, c::SYS_splice, c::SYS_tee, c::SYS_vmsplice,
    c::SYS_copy_file_range, c::SYS_umask, c::SYS_getxattr, c::SYS_lgetxattr, c::SYS_fgetxattr, c::SYS_setxattr,
    c::SYS_lsetxattr, c::SYS_fsetxattr, c::SYS_listxattr, c::SYS_llistxattr, c::SYS_flistxattr, c::SYS_removexattr,
    c::SYS_lremovexattr, c::SYS_fremovexattr, c::SYS_inotify_init1, c::SYS_inotify_add_watch, c::SYS_inotify_rm_watch,
    c::SYS_fchmodat2,
    CACHESTAT,
];

#[rustfmt::skip]
const MEMORY: &[c_long] = &[
    c::SYS_munmap, c::SYS_mprotect, c::SYS_mremap, c::SYS_madvise, c::SYS_msync, c::SYS_mincore, c::SYS_brk,
    c::SYS_mlock, c::SYS_mlock2, c::SYS_munlock, c::SYS_mlockall, c::SYS_munlockall, c::SYS_membarrier, c::SYS_pkey_alloc,
    c::SYS_pkey_free, c::SYS_pkey_mprotect, c::SYS_remap_file_pages, c::SYS_mseal, MAP_SHADOW_STACK,
];

#[rustfmt::skip]
const PROCESSES: &[c_long] = &[
    c::SYS_execve, c::SYS_execveat, c::SYS_exit, c::SYS_exit_group, c::SYS_wait4, c::SYS_waitid, c::SYS_getpid,
    c::SYS_getppid, c::SYS_gettid, c::SYS_getpgid, c::SYS_setpgid, c::SYS_getsid, c::SYS_setsid, c::SYS_getuid,
    c::SYS_geteuid, c::SYS_getgid, c::SYS_getegid, c::SYS_getresuid, c::SYS_getresgid, c::SYS_getgroups, c::SYS_setuid,
    c::SYS_setgid, c::SYS_setreuid, c::SYS_setregid, c::SYS_setresuid, c::SYS_setresgid, c::SYS_setfsuid, c::SYS_setfsgid,
    c::SYS_setgroups, c::SYS_capget, c::SYS_capset, c::SYS_seccomp, c::SYS_landlock_create_ruleset,
    c::SYS_landlock_add_rule, c::SYS_landlock_restrict_self, c::SYS_getrlimit,
    c::SYS_getrusage, c::SYS_getpriority, c::SYS_setpriority, c::SYS_sched_yield, c::SYS_sched_getaffinity,
    c::SYS_sched_setaffinity, c::SYS_sched_getparam, c::SYS_sched_setparam, c::SYS_sched_getscheduler,
    c::SYS_sched_setscheduler, c::SYS_sched_get_priority_max, c::SYS_sched_get_priority_min,
    c::SYS_sched_rr_get_interval, c::SYS_sched_getattr, c::SYS_sched_setattr, c::SYS_ioprio_get, c::SYS_ioprio_set,
    c::SYS_set_tid_address, c::SYS_set_robust_list, c::SYS_get_robust_list, c::SYS_rseq, c::SYS_getcpu, c::SYS_uname,
    c::SYS_sysinfo, c::SYS_times, c::SYS_getrandom, c::SYS_pidfd_open, c::SYS_pidfd_send_signal,
];

#[rustfmt::skip]
const SIGNALS_AND_TIME: &[c_long] = &[
    c::SYS_rt_sigaction, c::SYS_rt_sigprocmask, c::SYS_rt_sigreturn, c::SYS_rt_sigpending, c::SYS_rt_sigtimedwait,
    c::SYS_rt_sigqueueinfo, c::SYS_rt_tgsigqueueinfo, c::SYS_rt_sigsuspend, c::SYS_sigaltstack, c::SYS_kill, c::SYS_tkill,
    c::SYS_tgkill, c::SYS_signalfd4, c::SYS_restart_syscall, c::SYS_nanosleep, c::SYS_clock_nanosleep, c::SYS_clock_gettime,
    c::SYS_clock_getres, c::SYS_gettimeofday, c::SYS_getitimer, c::SYS_setitimer, c::SYS_timer_create, c::SYS_timer_settime,
    c::SYS_timer_gettime, c::SYS_timer_getoverrun, c::SYS_timer_delete, c::SYS_timerfd_create, c::SYS_timerfd_settime,
    c::SYS_timerfd_gettime,
];

#[rustfmt::skip]
const SOCKETS: &[c_long] = &[
    c::SYS_connect, c::SYS_bind, c::SYS_listen, c::SYS_accept, c::SYS_accept4, c::SYS_getsockname, c::SYS_getpeername,
    c::SYS_getsockopt, c::SYS_setsockopt, c::SYS_sendto, c::SYS_recvfrom, c::SYS_sendmsg, c::SYS_recvmsg, c::SYS_sendmmsg,
    c::SYS_recvmmsg, c::SYS_shutdown,
];

#[rustfmt::skip]
const WAITING: &[c_long] = &[
    c::SYS_ppoll, c::SYS_pselect6, c::SYS_epoll_create1, c::SYS_epoll_ctl, c::SYS_epoll_pwait, c::SYS_epoll_pwait2,
    c::SYS_eventfd2, c::SYS_futex, c::SYS_futex_waitv, FUTEX_WAKE, FUTEX_WAIT, FUTEX_REQUEUE,
];

#[rustfmt::skip]
const IPC: &[c_long] = &[
    c::SYS_shmat, c::SYS_shmdt, c::SYS_shmctl, c::SYS_semget, c::SYS_semop, c::SYS_semtimedop, c::SYS_semctl,
    c::SYS_msgget, c::SYS_msgsnd, c::SYS_msgrcv, c::SYS_msgctl, c::SYS_mq_open, c::SYS_mq_unlink, c::SYS_mq_timedsend,
    c::SYS_mq_timedreceive, c::SYS_mq_notify, c::SYS_mq_getsetattr,
];

/// Older forms that only the older architecture has.
#[rustfmt::skip]
#[cfg(target_arch = "x86_64")]
const LEGACY: &[c_long] = &[
    c::SYS_open, c::SYS_creat, c::SYS_stat, c::SYS_lstat, c::SYS_access, c::SYS_readlink, c::SYS_getdents, c::SYS_mkdir,
    c::SYS_rmdir, c::SYS_unlink, c::SYS_rename, c::SYS_link, c::SYS_symlink, c::SYS_mknod, c::SYS_chmod, c::SYS_chown,
    c::SYS_lchown, c::SYS_utime, c::SYS_utimes, c::SYS_futimesat, c::SYS_dup2, c::SYS_pipe, c::SYS_poll, c::SYS_select,
    c::SYS_epoll_create, c::SYS_epoll_wait, c::SYS_epoll_ctl_old, c::SYS_epoll_wait_old, c::SYS_eventfd, c::SYS_signalfd,
    c::SYS_inotify_init, c::SYS_fork, c::SYS_vfork, c::SYS_getpgrp, c::SYS_alarm, c::SYS_pause, c::SYS_time,
    c::SYS_arch_prctl, c::SYS_set_thread_area, c::SYS_get_thread_area,
];
#[cfg(not(target_arch = "x86_64"))]
const LEGACY: &[c_long] = &[];
