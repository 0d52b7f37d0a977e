//! Removes what a crash left behind.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::PREFIX;
use super::hierarchy::Layout;
use super::share;
use crate::claim::claim_abandoned;

/// How long killed processes may take to leave their group.
const LEAVING_MAX: Duration = Duration::from_secs(5);

/// Removes the directories of launchers that are no more, with everything that still runs in them.
pub fn sweep() {
    let Ok(layout) = Layout::read() else { return };
    for base in layout.bases() {
        let Ok(entries) = std::fs::read_dir(&base) else { continue };
        let ours = entries.flatten().map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // `pitbird-{pid}-{random}`, not the supervisor's group.
            name.strip_prefix(PREFIX)
                .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        });
        for path in ours {
            let Some(_lock) = claim_abandoned(&path) else { continue };
            let _ = clear(&path);
        }
    }
}

/// Removes one launcher's directories, once it has ended.
pub fn remove_launcher(name: &str) {
    let Ok(layout) = Layout::read() else { return };
    for path in layout.bases().iter().map(|base| base.join(name)).filter(|path| path.is_dir()) {
        let _ = clear(&path);
    }
}

/// Kills what is in a launcher's groups and removes them.
fn clear(launcher: &Path) -> io::Result<()> {
    let deadline = Instant::now() + LEAVING_MAX;
    let groups: Vec<PathBuf> = std::fs::read_dir(launcher)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    for group in groups.iter().map(PathBuf::as_path).chain([launcher]) {
        share::lift(group);
        let mut pause = Duration::from_micros(200);
        loop {
            kill_members(group);
            match std::fs::remove_dir(group) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) if Instant::now() > deadline => return Err(error),
                // Killed processes leave in their own time and nothing tells when the last one has.
                Err(_) => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
    Ok(())
}

fn kill_members(group: &Path) {
    let Ok(members) = std::fs::read_to_string(group.join("cgroup.procs")) else { return };
    for pid in members.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}
