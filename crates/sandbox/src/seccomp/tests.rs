//! The compiled filter is run here as the kernel would run it, for every call number.

use libc::{c_long, sock_filter};

use super::{ALLOWED, CHECKED, Network, PRETENDED, filter};

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const EPERM: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const NO_PROTOCOL: u32 = libc::SECCOMP_RET_ERRNO | libc::EPROTONOSUPPORT as u32;
const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

#[cfg(target_arch = "x86_64")]
const HERE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const HERE: u32 = 0xC000_00B7;

/// An argument whose low half is 0, and the high one isn't.
const HIGH: u32 = 0xFFFF_FFF0;

/// Runs a filter over one call; also says how many instructions that took.
fn run(program: &[sock_filter], architecture: u32, call: u32, arguments: [u32; 6]) -> (u32, usize) {
    let word = |offset: u32| match offset {
        0 => call,
        4 => architecture,
        _ if offset % 8 == 4 => {
            if arguments[usize::try_from((offset - 16) / 8).unwrap()] == HIGH {
                1
            } else {
                0
            }
        }
        _ => match arguments[usize::try_from((offset - 16) / 8).unwrap()] {
            HIGH => 0,
            low => low,
        },
    };
    let (mut at, mut accumulator) = (0, 0);
    for steps in 1.. {
        let step = &program[at];
        at += 1;
        match step.code {
            0x20 => accumulator = word(step.k),
            0x54 => accumulator &= step.k,
            0x05 => at += step.k as usize,
            0x15 => at += usize::from(if accumulator == step.k { step.jt } else { step.jf }),
            0x35 => at += usize::from(if accumulator >= step.k { step.jt } else { step.jf }),
            0x45 => at += usize::from(if accumulator & step.k != 0 { step.jt } else { step.jf }),
            0x06 => return (step.k, steps),
            code => panic!("instruction {code:#x} is not used by the compiler"),
        }
    }
    unreachable!("a filter has no loops")
}

fn verdict(call: c_long, arguments: [u32; 6]) -> u32 {
    run(&filter(Network::Private), HERE, u32::try_from(call).unwrap(), arguments).0
}

#[test]
fn every_number_gets_what_the_list_says() {
    let program = filter(Network::Private);
    for call in 0..1024u32 {
        let number = c_long::from(call);
        if CHECKED.iter().any(|check| check.call == number) {
            continue;
        }
        let expected = match number {
            _ if ALLOWED.iter().any(|group| group.contains(&number)) => ALLOW,
            libc::SYS_clone3 => ENOSYS,
            _ if PRETENDED.contains(&number) => libc::SECCOMP_RET_ERRNO,
            _ if call > 462 => ENOSYS,
            _ => EPERM,
        };
        assert_eq!(run(&program, HERE, call, [0; 6]).0, expected, "call {call}");
    }
}

#[test]
fn the_filter_is_short_and_quick() {
    let program = filter(Network::Private);
    assert!(program.len() < 260, "{} instructions", program.len());
    let longest = (0..463).map(|call| run(&program, HERE, call, [0; 6]).1).max().unwrap();
    assert!(longest <= 24, "{longest} instructions for one call");
}

#[test]
fn other_architectures_are_turned_away() {
    let program = filter(Network::Private);
    for architecture in [0x4000_0003, 0x4000_0028, 0] {
        assert_eq!(run(&program, architecture, 1, [0; 6]).0, ENOSYS);
    }
    // x32: the same architecture, numbers with bit 30.
    assert_eq!(run(&program, HERE, 0x4000_0001, [0; 6]).0, ENOSYS);
}

#[test]
fn no_dangerous_call_is_allowed() {
    #[rustfmt::skip]
    let dangerous = [
        libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_unshare, libc::SYS_setns, libc::SYS_ptrace,
        libc::SYS_bpf, libc::SYS_io_uring_setup, libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key,
        libc::SYS_userfaultfd, libc::SYS_perf_event_open, libc::SYS_open_by_handle_at, libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev, libc::SYS_pidfd_getfd, libc::SYS_kexec_load, libc::SYS_init_module, libc::SYS_reboot,
        libc::SYS_move_mount, libc::SYS_open_tree, libc::SYS_fsopen, libc::SYS_mount_setattr, libc::SYS_chroot,
        libc::SYS_io_setup, libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_syslog, libc::SYS_quotactl, libc::SYS_swapon,
    ];
    for call in dangerous {
        assert_eq!(verdict(call, [0; 6]), EPERM, "call {call}");
    }
}

#[test]
fn processes_and_threads_yes_namespaces_no() {
    let fork = u32::try_from(libc::SIGCHLD).unwrap();
    let thread = 0x003D_0F00;
    assert_eq!(verdict(libc::SYS_clone, [fork, 0, 0, 0, 0, 0]), ALLOW);
    assert_eq!(verdict(libc::SYS_clone, [thread, 0, 0, 0, 0, 0]), ALLOW);
    for flag in [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWCGROUP,
    ] {
        assert_eq!(verdict(libc::SYS_clone, [fork | flag.cast_unsigned(), 0, 0, 0, 0, 0]), EPERM);
    }
}

#[test]
fn sockets_by_family_and_type() {
    let cases = [
        (libc::AF_UNIX, libc::SOCK_STREAM, 0, ALLOW, ALLOW),
        (libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 6, ALLOW, ALLOW),
        (libc::AF_INET6, libc::SOCK_STREAM, 0, ALLOW, ALLOW),
        (libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 17, ALLOW, EPERM),
        (libc::AF_INET6, libc::SOCK_DGRAM, 0, ALLOW, EPERM),
        (libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP, NO_PROTOCOL, NO_PROTOCOL),
        (libc::AF_INET6, libc::SOCK_STREAM, libc::IPPROTO_SCTP, NO_PROTOCOL, NO_PROTOCOL),
        (libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP, NO_PROTOCOL, EPERM),
        (libc::AF_INET, libc::SOCK_RAW, 1, EPERM, EPERM),
        (libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE, ALLOW, ALLOW),
        (libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_NETFILTER, EPERM, EPERM),
        (libc::AF_PACKET, libc::SOCK_RAW, 0, EPERM, EPERM),
        (libc::AF_ALG, libc::SOCK_SEQPACKET, 0, EPERM, EPERM),
        (libc::AF_VSOCK, libc::SOCK_STREAM, 0, EPERM, EPERM),
    ];
    for (family, kind, protocol, private, shared) in cases {
        let arguments = [family.cast_unsigned(), kind.cast_unsigned(), protocol.cast_unsigned(), 0, 0, 0];
        for (network, expected) in [(Network::Private, private), (Network::Shared, shared)] {
            let call = u32::try_from(libc::SYS_socket).unwrap();
            let found = run(&filter(network), HERE, call, arguments).0;
            assert_eq!(found, expected, "{family} {kind} {protocol} {network:?}");
        }
    }
}

#[test]
fn huge_pages_are_left_to_the_host() {
    let private = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).cast_unsigned();
    let huge = libc::MAP_HUGETLB.cast_unsigned();
    for (call, at, plain, huge) in [
        (libc::SYS_mmap, 3, private, huge),
        (libc::SYS_mmap, 3, private, huge | 21 << 26),
        (libc::SYS_memfd_create, 1, libc::MFD_CLOEXEC, libc::MFD_HUGETLB),
        (libc::SYS_shmget, 2, 0o1600, libc::SHM_HUGETLB.cast_unsigned()),
    ] {
        let mut arguments = [0; 6];
        arguments[at] = plain;
        assert_eq!(verdict(call, arguments), ALLOW, "call {call}");
        arguments[at] |= huge;
        assert_eq!(verdict(call, arguments), EPERM, "call {call}");
    }
}

#[test]
fn the_limit_on_dumps_stays() {
    const PRETEND: u32 = libc::SECCOMP_RET_ERRNO;
    let (dumps, files) = (libc::RLIMIT_CORE, libc::RLIMIT_NOFILE);
    assert_eq!(verdict(libc::SYS_setrlimit, [dumps, 1, 0, 0, 0, 0]), PRETEND);
    assert_eq!(verdict(libc::SYS_setrlimit, [files, 1, 0, 0, 0, 0]), ALLOW);
    for (resource, new, old, expected) in [
        (dumps, 0, 0, ALLOW),
        (dumps, 0, 8, ALLOW),
        (dumps, 8, 0, PRETEND),
        (dumps, HIGH, 0, PRETEND),
        (dumps, 8, 8, EPERM),
        (dumps, HIGH, HIGH, EPERM),
        (files, 8, 8, ALLOW),
        (files, HIGH, 0, ALLOW),
    ] {
        assert_eq!(verdict(libc::SYS_prlimit64, [0, resource, new, old, 0, 0]), expected, "{new} {old}");
    }
}

#[test]
fn nobody_has_a_core_of_his_own() {
    assert_eq!(verdict(libc::SYS_prctl, [62, 1, 0, 0, 0, 0]), EPERM);
    assert_eq!(verdict(libc::SYS_prctl, [libc::PR_SET_NAME.cast_unsigned(), 1, 0, 0, 0, 0]), ALLOW);
}
