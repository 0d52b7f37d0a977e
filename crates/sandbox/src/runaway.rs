//! Ending what won't let others run.
//!
//! A killed process dies when it next gets the CPU, and among many that spin this takes long, once for the first process and once
//! more for each that dies with it. So all are killed at once and then served before everybody else: what they do from here on is
//! to leave. That is bounded, for the leaving of something large would keep everybody else waiting.

use std::path::Path;

use crate::kernel;

/// Threads that are served first; each has some tenth of a millisecond to do.
const THREADS_MAX: usize = 64;
/// Of a sandbox that has used more memory than this nothing is served first: giving back a page takes some 0.1 µs.
const MEMORY_BYTES_MAX: u64 = 256 << 20;

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
        let _ = kernel::serve_first(thread);
    }
}
