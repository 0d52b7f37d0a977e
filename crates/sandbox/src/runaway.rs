//! Ending what won't let others run.
//!
//! A killed process dies when it next gets the CPU, and among many that spin this takes long, once for the first process and once
//! more for each that dies with it. So all are killed at once and then served before everybody else: what they do from here on is
//! to leave. That is bounded, for the leaving of something large would keep everybody else waiting.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::kernel;

/// Of what is dying, and of who ends it. Both are among the lowest of the kind (1 to 99): others on the host that have one had reasons.
const DYING: i32 = 1;
const ENDING: i32 = DYING + 1;
/// The shortest that Linux knows; others get some milliseconds.
const SHORT: Duration = Duration::from_micros(100);
/// Threads that are served first; each has some tenth of a millisecond to do.
const THREADS_MAX: usize = 64;
/// Of a sandbox that has used more memory than this nothing is served first: giving back a page takes some 0.1 µs.
const MEMORY_BYTES_MAX: u64 = 256 << 20;

/// Has the kernel run the calling thread before all functions, also those that are dying: for a thread that ends runaways and does little else.
///
/// # Errors
/// The host doesn't allow it (`CAP_SYS_NICE`, `RLIMIT_RTPRIO`).
pub fn serve_this_thread_first() -> io::Result<()> {
    kernel::serve_first(0, ENDING)
}

/// Has the kernel wake the calling thread sooner than others that have run for a while: for one that others wait for, and that does little at
/// a time. It asks for less than others get at once, and so for its part of it earlier; no privilege is needed.
///
/// # Errors
/// The kernel has no such call.
pub fn wake_this_thread_soon() -> io::Result<()> {
    kernel::slice::set(SHORT)
}

/// Kills all processes of a group of the second version that has used so much memory. Where the host doesn't allow something it
/// takes longer.
pub fn kill(group: &Path, memory_peak_bytes: u64) {
    // Since Linux 5.14. Without it they might spin on, and then before everybody else.
    let is_killed = std::fs::write(group.join("cgroup.kill"), "1").is_ok();
    if !is_killed || memory_peak_bytes > MEMORY_BYTES_MAX {
        return;
    }
    let Ok(threads) = std::fs::read_to_string(group.join("cgroup.threads")) else { return };
    for thread in threads.lines().take(THREADS_MAX).filter_map(|line| line.parse().ok()) {
        let _ = kernel::serve_first(thread, DYING);
    }
}
