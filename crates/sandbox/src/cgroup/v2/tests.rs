//! On a host whose memory, pids and cpu controllers are the first version's, what is written is looked at in plain files, and how groups
//! are handed down in the real hierarchy with the one controller that others leave to it.

use std::process::{Command, Stdio};

use super::*;
use crate::cgroup::Group as AnyGroup;
use crate::cgroup::hierarchy::Unified;

const FILES: [&str; 4] = ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max"];

/// A group of plain files.
fn group(folder: &Path, files: &[&str]) -> Group {
    files.iter().for_each(|file| std::fs::write(folder.join(file), "").unwrap());
    let directory = OwnedFd::from(std::fs::File::open(folder).unwrap());
    Group { path: folder.to_owned(), directory, has_memory: true, has_pids: true, has_share: false }
}

const LIMITS: Limits = Limits { memory_bytes: 128 << 20, processes_max: 1024 };

#[test]
fn limits_are_said_in_the_kernels_words() {
    let folder = tempfile::tempdir().unwrap();
    group(folder.path(), &FILES).limit(&LIMITS).unwrap();
    let said = FILES.map(|file| std::fs::read_to_string(folder.path().join(file)).unwrap());
    assert_eq!(said, ["134217728", "0", "1", "1025"]);
}

#[test]
fn kernels_without_swap_or_killing_of_groups_limit_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    group(folder.path(), &["memory.max", "pids.max"]).limit(&LIMITS).unwrap();
    for lacking in ["memory.max", "pids.max"] {
        let folder = tempfile::tempdir().unwrap();
        let files = FILES.into_iter().filter(|file| *file != lacking).collect::<Vec<_>>();
        assert!(group(folder.path(), &files).limit(&LIMITS).is_err(), "{lacking}");
    }
}

#[test]
fn lack_of_memory_and_its_peak_are_read() {
    for (killed, expected) in [(0, false), (3, true)] {
        let folder = tempfile::tempdir().unwrap();
        let group = group(folder.path(), &[]);
        // Of Linux 6.18; `oom` alone is no death, and `oom_group_kill` is counted besides.
        let events =
            format!("low 0\nhigh 0\nmax 12\noom 1\noom_kill {killed}\noom_group_kill 1\nsock_throttled 0\n");
        std::fs::write(folder.path().join("memory.events"), events).unwrap();
        std::fs::write(folder.path().join("memory.peak"), "33554432\n").unwrap();
        let group = AnyGroup::V2(group);
        assert_eq!((group.ran_out_of_memory(), group.peak_bytes()), (expected, 32 << 20));
    }
}

#[test]
fn what_isnt_handed_down_is_said_with_what_would_help() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(freezer::FILE), "").unwrap();
    let launcher = Launcher {
        path: folder.path().to_owned(),
        _lock: OwnedFd::from(std::fs::File::open(folder.path()).unwrap()),
        has_memory: true,
        has_pids: true,
        has_cpu: false,
        has_shares: false,
        told: None,
    };
    let lacking = launcher.lacking();
    assert_eq!(lacking.len(), 1, "{lacking:?}");
    assert_eq!(lacking[0].what, share::WHAT);
    assert!(lacking[0].why.contains("`Delegate=yes`"), "{lacking:?}");
}

#[test]
fn who_may_make_no_groups_is_told_what_would_help_there() {
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let said = |group: &str, error: &io::Error| refusal(&Path::new("/sys/fs/cgroup").join(group), error);
    let service = said("system.slice/own.service", &denied);
    assert!(service.contains("own.service: permission denied; a service's unit allows it"), "{service}");
    assert!(!service.contains("systemd-run"), "{service}");
    let closed = said("system.slice/own.service", &io::ErrorKind::ReadOnlyFilesystem.into());
    assert!(closed.contains("no `ProtectControlGroups=`") && !closed.contains("Delegate"), "{closed}");
    for shell in ["user.slice/user-1000.slice/session-2.scope", ""] {
        let shell = said(shell, &denied);
        assert!(shell.contains("systemd-run --user --scope -p Delegate=yes"), "{shell}");
    }
}

/// A unit whose shell started pitbird is delegated already; what is in the way is the shell.
#[test]
fn who_shares_its_group_is_told_to_be_alone() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("own.service");
    std::fs::create_dir(&base).unwrap();
    let own = std::process::id();
    std::fs::write(base.join("cgroup.procs"), format!("{own}\n{}\n1\n", own + 1)).unwrap();
    let said = refusal(&base, &empty(&base).unwrap_err());
    assert!(said.contains("other processes are in this group; pitbird must be alone"), "{said}");
    assert!(!said.contains("Delegate"), "{said}");
    assert!(!base.join(SUPERVISOR).exists(), "nobody was moved about");
}

/// Linux has `memory.peak` from 5.19 on. Before that what is told is the programs' own.
#[test]
fn without_a_peak_of_the_kernels_none_is_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let group = AnyGroup::V2(group(folder.path(), &FILES));
    assert_eq!(group.peak_bytes(), 0);
    assert!(std::fs::File::open(group.peak_file().unwrap()).is_err());
}

/// A group of the real hierarchy. When it is dropped this test's process is where it was, and nothing of it is left.
struct Base {
    path: PathBuf,
    unified: Unified,
    controller: String,
    /// The top didn't hand the controller down before.
    is_told: bool,
}

impl Base {
    /// `None` where there is no hierarchy, no controller in it, or no right to it.
    fn make() -> Option<Base> {
        let unified = Layout::read().ok()?.v2()?.clone();
        let controller = controllers(&unified.top.join("cgroup.controllers"))?.into_iter().next()?;
        let is_told = !hands_down(&unified.top, &[&controller]);
        let path = unified.top.join(format!("test-pitbird-{}", std::process::id()));
        std::fs::create_dir(&path).ok()?;
        let base = Base { path, unified, controller, is_told };
        // Only the top may have processes and hand something down.
        enable(&base.unified.top, &[&base.controller]);
        hands_down(&base.unified.top, &[&base.controller]).then_some(base)
    }

    fn enter(&self, group: &Path) -> io::Result<()> {
        write(&group.join("cgroup.procs"), std::process::id())
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let _ = self.enter(&self.unified.own);
        for group in ["launcher/1", "launcher", SUPERVISOR, ""] {
            let _ = std::fs::remove_dir(self.path.join(group));
        }
        if self.is_told {
            let _ = write(&self.unified.top.join("cgroup.subtree_control"), format!("-{}", self.controller));
        }
    }
}

/// One test, for the hierarchy is everybody's.
#[test]
fn a_group_is_emptied_of_its_own_processes_before_it_hands_down() {
    let Some(base) = Base::make() else { return eprintln!("SKIPPED: no group with a controller can be had") };
    let wanted = [base.controller.as_str()];
    others_are_left_alone(&base);

    base.enter(&base.path).unwrap();
    enable(&base.path, &wanted);
    assert!(!hands_down(&base.path, &wanted), "a group with processes hands nothing down");
    delegate(&base.path, &wanted).unwrap();
    assert!(hands_down(&base.path, &wanted));
    let members = |group: &Path| std::fs::read_to_string(group.join("cgroup.procs")).unwrap();
    assert_eq!(members(&base.path), "");
    assert_eq!(members(&base.path.join(SUPERVISOR)).trim(), std::process::id().to_string());
    // Again, as by the next launcher, and from where this process is now.
    delegate(&base.path, &wanted).unwrap();
    let (top, own) = (base.path.clone(), base.path.join(SUPERVISOR));
    assert_eq!(Unified { top, own }.candidates(), [base.path.as_path()]);
    // The launcher's own group hands down, has no processes, and its sandboxes' groups have the controller's files.
    let launcher = base.path.join("launcher");
    std::fs::create_dir(&launcher).unwrap();
    enable(&launcher, &wanted);
    std::fs::create_dir(launcher.join("1")).unwrap();
    assert!(controllers(&launcher.join("1/cgroup.controllers")).unwrap().contains(&base.controller));
    assert!(base.enter(&launcher).is_err(), "who hands down has no processes");
    base.enter(&launcher.join("1")).unwrap();
}

fn others_are_left_alone(base: &Base) {
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    write(&base.path.join("cgroup.procs"), other.id()).unwrap();
    let refused = delegate(&base.path, &[base.controller.as_str()]).unwrap_err();
    assert_eq!(refused.to_string(), "other processes are in this group");
    assert!(!base.path.join(SUPERVISOR).exists());
    drop(other.stdin.take());
    other.wait().unwrap();
}
