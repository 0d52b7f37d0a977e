//! Waiting for the program's end, reaping, and where no control group does it, watching memory and killing.

use rustix::process::{Pid, Signal};

use super::reap_one;
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::message::{Enter, FromInit};
use crate::processes::{all, children_of, own_memory};

/// How often memory is looked at where no control group limits it.
const MEMORY_INTERVAL_MS: u32 = 50;

/// A wait status that says "killed by signal 9".
const KILLED: i32 = libc::SIGKILL;

const SIGNALS: [i32; 2] = [libc::SIGCHLD, libc::SIGTERM];

/// Process 1 of a pid namespace: reaps everybody until the program ends.
pub fn reap(program: Pid, request: &Enter) -> FromInit {
    if request.watch_memory && kernel::block_signals(&SIGNALS[..1]).is_ok() {
        return reap_and_watch(program, request);
    }
    loop {
        match reap_one(true) {
            Some((pid, status)) if pid == program => return ended(status, 0),
            Some(_) => {}
            None => return ended(KILLED, 0),
        }
    }
}

fn reap_and_watch(program: Pid, request: &Enter) -> FromInit {
    let mut peak = 0;
    loop {
        while let Some((pid, status)) = reap_one(false) {
            if pid == program {
                return ended(status, peak);
            }
        }
        kernel::next_signal(&SIGNALS[..1], Some(MEMORY_INTERVAL_MS));
        peak = peak.max(memory_in_use(None));
        if peak > request.memory_bytes {
            return out_of_memory(peak);
        }
    }
}

/// Before the program is forked: signals are to be taken one by one.
pub fn prepare_to_supervise() -> Result<(), Fault> {
    kernel::block_signals(&SIGNALS).at(Step::Fork)
}

/// Without a pid namespace: waits for the program's end or the order to end it, then kills all that came from it.
pub fn supervise(program: Pid, request: &Enter) -> FromInit {
    let mut peak = 0;
    let end = loop {
        let mut end = None;
        while let Some((pid, status)) = reap_one(false) {
            if pid == program {
                end = Some(ended(status, peak));
            }
        }
        if let Some(end) = end {
            break end;
        }
        let interval = request.watch_memory.then_some(MEMORY_INTERVAL_MS);
        if kernel::next_signal(&SIGNALS, interval) == Some(libc::SIGTERM) {
            break ended(KILLED, peak);
        }
        if request.watch_memory {
            peak = peak.max(memory_in_use(Some(program)));
            if peak > request.memory_bytes {
                break out_of_memory(peak);
            }
        }
    };
    kill_descendants();
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

/// Memory that the sandbox's processes have to themselves plus what is in `/tmp`, in bytes. With a pid namespace all
/// processes of `/proc` are the sandbox's; without one those that come from `program` are.
fn memory_in_use(program: Option<Pid>) -> u64 {
    let Some(program) = program else {
        let tmp = rustix::fs::statvfs(crate::spec::TMP);
        let tmp = tmp.map_or(0, |tmp| tmp.f_blocks.saturating_sub(tmp.f_bfree).saturating_mul(tmp.f_frsize));
        return all().map(own_memory).sum::<u64>() + tmp;
    };
    let mut found = vec![program.as_raw_nonzero().get().cast_unsigned()];
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
