//! The share of the CPUs' time that a group may use: a quota for each period, which holds for all of its processes together.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::write;

/// What it is called where it is missing.
pub const WHAT: &str = "CPU share";
/// The group's file with the quota, in the first version of control groups and in the second.
pub const FILES: [&str; 2] = ["cpu.cfs_quota_us", "cpu.max"];

/// The length of a period, in µs. The kernel's default of 100 ms would have a function of 128 MB wait for 93 ms after 7 of work;
/// with 20 ms, which is also what others have observed on Lambda, the wait is 18.5 ms after 1.5. The kernel takes no quota below 1 ms, so that
/// for such a function a period must not be shorter than 14 ms.
pub const PERIOD_US: u64 = 20_000;
const QUOTA_US_MIN: u64 = 1_000;

/// What all functions together weigh on each CPU, in the unit in which a process of niceness 0 weighs 1024: as much as six processes
/// of niceness 5, which is what functions are without groups (335 each, `sched_prio_to_weight` in the kernel's
/// `kernel/sched/core.c`). With one sixth of it the daemon runs out of work and sleeps between any two answers, for half as
/// much CPU again per request; with twice as much a function that spins takes too much from the daemon.
const WEIGHT: u64 = 6 * 335;
/// The most that `cpu.shares` may be (`MAX_SHARES`), and `cpu.weight` (cgroup-v2.rst).
const SHARES_MAX: u64 = 1 << 18;
const WEIGHT_MAX: u64 = 10_000;

/// The quota of one sandbox's group, kept open: with it a sandbox is held back while its caller waits, and let go when it is to die.
#[derive(Debug)]
pub struct Share {
    quota: File,
    /// The quota that a group didn't use and may use later, where the kernel knows that (Linux 5.14).
    burst: PathBuf,
    /// What is written for no quota.
    unlimited: &'static str,
    is_held: AtomicBool,
}

impl Share {
    /// By the path of a group's quota file.
    pub fn open(file: &Path) -> io::Result<Share> {
        let [first, _] = FILES;
        let (burst, unlimited) =
            if file.ends_with(first) { ("cpu.cfs_burst_us", "-1") } else { ("cpu.max.burst", "max") };
        let quota = OpenOptions::new().write(true).open(file)?;
        Ok(Share { quota, burst: file.with_file_name(burst), unlimited, is_held: AtomicBool::new(false) })
    }

    /// Holds the group to this many CPUs' worth of time.
    ///
    /// A group that had nothing to do may then use up to one period's quota more, so that short work after a pause is done at
    /// once. In the long run it has its share.
    pub fn hold(&self, share: f64) -> io::Result<()> {
        let quota_us = ((share * PERIOD_US as f64) as u64).max(QUOTA_US_MIN);
        self.is_held.store(true, Ordering::Relaxed);
        // A quota smaller than what may be saved up is refused.
        let has_burst = write(&self.burst, 0).is_ok();
        match self.quota.write_all_at(quota_us.to_string().as_bytes(), 0) {
            // A group above has less than that already, and it holds for this one too. The second version doesn't mind.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(()),
            written => written?,
        }
        if has_burst { write(&self.burst, quota_us) } else { Ok(()) }
    }

    /// Lets the group use as much as there is; at once, also where it has used up its quota. Does nothing to one that isn't held.
    pub fn lift(&self) {
        if self.is_held.swap(false, Ordering::Relaxed) {
            // A group that is gone needs nothing.
            let _ = self.quota.write_all_at(self.unlimited.as_bytes(), 0);
        }
    }
}

/// Lifts whatever quota a group has, as before it is killed: what has used it up doesn't even die before the next period.
pub fn lift(group: &Path) {
    for (file, unlimited) in FILES.into_iter().zip(["-1", "max"]) {
        // Not made where it doesn't exist.
        let file = OpenOptions::new().write(true).open(group.join(file));
        let _ = file.and_then(|mut file| file.write_all(unlimited.as_bytes()));
    }
}

/// Weighs all of a launcher's groups together. Groups are weighed as such, however nice their processes are and however many.
pub fn weigh(launcher: &Path) {
    let cpus = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let shares = (WEIGHT * cpus).min(SHARES_MAX);
    // Each has one of these; at their default of 1024 and 100 they weigh the same.
    let _ = write(&launcher.join("cpu.shares"), shares);
    let _ = write(&launcher.join("cpu.weight"), (shares * 100 / 1024).clamp(1, WEIGHT_MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in the files of a group of one version after its share was set, and after it was lifted.
    fn check(files: [&str; 2], share: f64, held: [&str; 2], lifted: &str) {
        let folder = tempfile::tempdir().unwrap();
        let files = files.map(|file| folder.path().join(file));
        let read = |file: &Path| std::fs::read_to_string(file).unwrap();
        files.iter().for_each(|file| std::fs::write(file, "").unwrap());
        let opened = Share::open(&files[0]).unwrap();
        opened.lift();
        assert_eq!(read(&files[0]), "", "what isn't held isn't written to");
        opened.hold(share).unwrap();
        assert_eq!([read(&files[0]), read(&files[1])], held);
        // A plain file, other than a control file, keeps the rest of what was longer.
        std::fs::write(&files[0], "").unwrap();
        opened.lift();
        assert_eq!(read(&files[0]), lifted);
        std::fs::write(&files[0], "").unwrap();
        lift(folder.path());
        assert_eq!(read(&files[0]), lifted);
    }

    #[test]
    fn both_versions_are_told_in_their_own_words() {
        check(["cpu.cfs_quota_us", "cpu.cfs_burst_us"], 128.0 / 1769.0, ["1447", "1447"], "-1");
        check(["cpu.max", "cpu.max.burst"], 1.5, ["30000", "30000"], "max");
    }

    #[test]
    fn the_kernels_smallest_quota_is_kept() {
        check(["cpu.max", "cpu.max.burst"], 0.01, ["1000", "1000"], "max");
    }
}
