//! From the allow list to the kernel's filter language.

use libc::{c_long, sock_filter};

use super::Network;
use super::allowed::{Check, Rule};

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;

// Offsets in `struct seccomp_data`.
const CALL: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const NO_PROTOCOL: u32 = libc::SECCOMP_RET_ERRNO | libc::EPROTONOSUPPORT as u32;
/// Success, and nothing is done.
const PRETEND: u32 = libc::SECCOMP_RET_ERRNO;
const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// `AUDIT_ARCH_*` of what this binary, and so its guests, run on.
#[cfg(target_arch = "x86_64")]
const AUDIT_ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCHITECTURE: u32 = 0xC000_00B7;

/// The newest call known when the list was written (`mseal`). Newer ones are answered with `ENOSYS`, so that a library
/// which tries them first falls back.
const NEWEST: u32 = 462;

/// `clone3` keeps its flags in memory, where a filter cannot look. `ENOSYS` makes every C library use `clone` instead.
const CLONE3: u32 = libc::SYS_clone3 as u32;

/// What happens for the calls from `first` up to the next range's first.
#[derive(Clone, Copy, PartialEq)]
struct Range {
    first: u32,
    action: Action,
}

#[derive(Clone, Copy, PartialEq)]
enum Action {
    Return(u32),
    /// The check of this index decides.
    Check(usize),
}

pub fn compile(
    allowed: &[&[c_long]],
    pretended: &[c_long],
    checked: &[Check],
    network: Network,
) -> Vec<sock_filter> {
    let mut program = vec![
        load(ARCHITECTURE),
        // Another architecture's numbers mean other calls.
        jump(EQUAL, AUDIT_ARCHITECTURE, 1, 0),
        give(UNKNOWN),
        load(CALL),
    ];
    search(&ranges(allowed, pretended, checked), checked, network, &mut program);
    program
}

fn ranges(allowed: &[&[c_long]], pretended: &[c_long], checked: &[Check]) -> Vec<Range> {
    let action = |call: u32| {
        let number = c_long::from(call);
        if let Some(index) = checked.iter().position(|check| check.call == number) {
            return Action::Check(index);
        }
        let is_allowed = allowed.iter().any(|group| group.contains(&number));
        Action::Return(match call {
            _ if is_allowed => ALLOW,
            _ if pretended.contains(&number) => PRETEND,
            CLONE3 => UNKNOWN,
            _ => REFUSE,
        })
    };
    let mut ranges: Vec<Range> = Vec::new();
    for call in 0..=NEWEST {
        let action = action(call);
        if ranges.last().is_none_or(|last| last.action != action) {
            ranges.push(Range { first: call, action });
        }
    }
    // Includes the x32 numbers, which have bit 30 set.
    ranges.push(Range { first: NEWEST + 1, action: Action::Return(UNKNOWN) });
    ranges
}

/// Finds the range of the loaded call number by halving.
fn search(ranges: &[Range], checked: &[Check], network: Network, program: &mut Vec<sock_filter>) {
    match ranges {
        [] => program.push(give(REFUSE)),
        [range] => match range.action {
            Action::Return(value) => program.push(give(value)),
            Action::Check(index) => check(&checked[index].rule, network, program),
        },
        _ => {
            let (low, high) = ranges.split_at(ranges.len() / 2);
            let mut below = Vec::new();
            search(low, checked, network, &mut below);
            match u8::try_from(below.len()) {
                Ok(length) => program.push(jump(AT_LEAST, high[0].first, length, 0)),
                // Too far for a conditional jump, whose distance is one byte.
                Err(_) => {
                    let length = u32::try_from(below.len()).expect("the program has a few hundred steps");
                    program.push(jump(AT_LEAST, high[0].first, 0, 1));
                    program.push(sock_filter { code: JUMP, jt: 0, jf: 0, k: length });
                }
            }
            program.append(&mut below);
            search(high, checked, network, program);
        }
    }
}

/// Decides by an argument. Only the low half is looked at, but of pointers: the kernel itself takes these arguments as 32 bits, and has no flags
/// above them.
fn check(rule: &Rule, network: Network, program: &mut Vec<sock_filter>) {
    match *rule {
        Rule::WithoutBits { argument, bits } => {
            program.extend([load_argument(argument), jump(ANY_BIT, bits, 0, 1), give(REFUSE), give(ALLOW)])
        }
        Rule::OneOf { argument, values } => {
            program.push(load_argument(argument));
            one_of(values, ALLOW, REFUSE, program);
        }
        Rule::NoneOf { argument, values } => {
            program.push(load_argument(argument));
            one_of(values, REFUSE, ALLOW, program);
        }
        Rule::Socket => socket(network, program),
        Rule::DumpsStay { resource, wanted } => dumps_stay(resource, wanted, program),
    }
}

fn dumps_stay(resource: u8, wanted: Option<[u8; 2]>, program: &mut Vec<sock_filter>) {
    program.extend([load_argument(resource), jump(EQUAL, libc::RLIMIT_CORE, 1, 0), give(ALLOW)]);
    if let Some([new, old]) = wanted {
        // Pointers: nothing is given where both halves are 0.
        program.extend([
            load_argument(new),
            jump(EQUAL, 0, 0, 3),
            load(upper(new)),
            jump(EQUAL, 0, 0, 1),
            give(ALLOW),
            load_argument(old),
            jump(EQUAL, 0, 0, 2),
            load(upper(old)),
            jump(EQUAL, 0, 1, 0),
            give(REFUSE),
        ]);
    }
    program.push(give(PRETEND));
}

fn one_of(values: &[u32], found: u32, otherwise: u32, program: &mut Vec<sock_filter>) {
    for value in values {
        program.extend([jump(EQUAL, *value, 0, 1), give(found)]);
    }
    program.push(give(otherwise));
}

/// Unix sockets of every type; TCP, and UDP in a private network, and no other protocol, for which the kernel might even load a module;
/// of netlink only routing, by which programs list their interfaces.
fn socket(network: Network, program: &mut Vec<sock_filter>) {
    // The type's low four bits; above are SOCK_CLOEXEC and SOCK_NONBLOCK.
    const TYPE: u32 = 0xF;
    let has_datagrams = network == Network::Private;
    let mut internet = vec![load_argument(1), sock_filter { code: AND, jt: 0, jf: 0, k: TYPE }];
    let kinds =
        [(libc::SOCK_STREAM, libc::IPPROTO_TCP, true), (libc::SOCK_DGRAM, libc::IPPROTO_UDP, has_datagrams)];
    for (kind, protocol, _) in kinds.into_iter().filter(|(.., is_allowed)| *is_allowed) {
        internet.extend([
            jump(EQUAL, kind as u32, 0, 5),
            load_argument(2),
            // None named is the usual one.
            jump(EQUAL, 0, 1, 0),
            jump(EQUAL, protocol as u32, 0, 1),
            give(ALLOW),
            give(NO_PROTOCOL),
        ]);
    }
    internet.push(give(REFUSE));
    let length = u8::try_from(internet.len()).expect("a handful");
    program.extend([
        load_argument(0),
        jump(EQUAL, libc::AF_UNIX as u32, 0, 1),
        give(ALLOW),
        jump(EQUAL, libc::AF_INET as u32, 1, 0),
        jump(EQUAL, libc::AF_INET6 as u32, 0, length),
    ]);
    program.extend(internet);
    program.extend([
        jump(EQUAL, libc::AF_NETLINK as u32, 1, 0),
        give(REFUSE),
        load_argument(2),
        jump(EQUAL, libc::NETLINK_ROUTE as u32, 0, 1),
        give(ALLOW),
        give(REFUSE),
    ]);
}

fn load(offset: u32) -> sock_filter {
    sock_filter { code: LOAD, jt: 0, jf: 0, k: offset }
}

/// Loads the low half of an argument (both supported architectures are little-endian).
fn load_argument(index: u8) -> sock_filter {
    load(ARGUMENTS + 8 * u32::from(index))
}

/// Where an argument's high half is.
fn upper(index: u8) -> u32 {
    ARGUMENTS + 8 * u32::from(index) + 4
}

fn jump(code: u16, value: u32, if_so: u8, if_not: u8) -> sock_filter {
    sock_filter { code, jt: if_so, jf: if_not, k: value }
}

fn give(value: u32) -> sock_filter {
    sock_filter { code: RETURN, jt: 0, jf: 0, k: value }
}
