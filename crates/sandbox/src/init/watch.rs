//! Waiting for the programs' end, reaping, and where no control group does it, watching memory and killing.

use rustix::process::{Pid, Signal};

use super::programs::Programs;
use super::{Setup, reap_one};
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::message::{Enter, FromInit};
use crate::processes::{all, children_of, own_memory};

/// How often memory is looked at where no control group limits it.
const MEMORY_INTERVAL_MS: u32 = 50;

/// A wait status that says "killed by signal 9".
const KILLED: i32 = libc::SIGKILL;

/// A child has ended; start the program, or ask it to end; kill it; end everything.
const SIGNALS: [i32; 4] = [libc::SIGCHLD, libc::SIGUSR1, libc::SIGUSR2, libc::SIGTERM];

/// Before anything is forked: signals are to be taken one by one.
pub fn prepare() -> Result<(), Fault> {
    kernel::block_signals(&SIGNALS).at(Step::Fork)
}

/// Reaps everybody and does as it is told until the programs have ended. With a pid namespace all that is left ends with this
/// process; without one it kills what came from them.
pub fn watch(setup: &Setup<'_>, request: &Enter, mut programs: Programs) -> FromInit {
    let has_namespaces = setup.mode.has_namespaces();
    let mut peak = 0;
    let end = loop {
        while let Some((pid, status)) = reap_one(false) {
            programs.note(setup.control, pid, status);
        }
        if let Some(status) = programs.end() {
            break ended(status.unwrap_or(KILLED), peak);
        }
        let interval = request.watch_memory.then_some(MEMORY_INTERVAL_MS);
        match kernel::next_signal(&SIGNALS, interval) {
            Some(libc::SIGUSR1) => programs.start_or_terminate(setup, request),
            Some(libc::SIGUSR2) => programs.signal(Signal::KILL),
            // In a pid namespace the order is to be killed; this comes from inside.
            Some(libc::SIGTERM) if !has_namespaces => break ended(KILLED, peak),
            _ => {}
        }
        if request.watch_memory {
            peak = peak.max(if has_namespaces { memory_of_all() } else { memory_from(programs.running()) });
            if peak > request.memory_bytes {
                break out_of_memory(peak);
            }
        }
    };
    if !has_namespaces {
        kill_descendants();
    }
    end
}

/// Kills children until there are none. As a subreaper this process inherits the children of those it kills.
pub fn kill_descendants() {
    loop {
        for child in children_of(std::process::id()).into_iter().filter_map(to_pid) {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        if reap_one(true).is_none() {
            return;
        }
    }
}

fn ended(status: i32, peak: u64) -> FromInit {
    FromInit::Ended { status, out_of_memory: false, peak_bytes: peak.max(kernel::children_peak_bytes()) }
}

fn out_of_memory(peak: u64) -> FromInit {
    FromInit::Ended { status: KILLED, out_of_memory: true, peak_bytes: peak }
}

/// Memory that the sandbox's processes have to themselves plus what is in `/tmp`, in bytes, where a pid namespace shows no others.
fn memory_of_all() -> u64 {
    let tmp = rustix::fs::statvfs(crate::spec::TMP);
    let tmp = tmp.map_or(0, |tmp| tmp.f_blocks.saturating_sub(tmp.f_bfree).saturating_mul(tmp.f_frsize));
    all().map(own_memory).sum::<u64>() + tmp
}

/// Memory that these processes and those that come from them have to themselves, in bytes.
fn memory_from(programs: impl Iterator<Item = Pid>) -> u64 {
    let mut found: Vec<u32> = programs.map(|pid| pid.as_raw_nonzero().get().cast_unsigned()).collect();
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(children_of(pid));
        next += 1;
    }
    found.into_iter().map(own_memory).sum()
}

fn to_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(pid.cast_signed())
}
