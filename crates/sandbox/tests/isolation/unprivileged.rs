//! The same promises, kept for a daemon without privileges.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use pitbird_sandbox::Level;

use crate::support::{config, open_to_all, skip, start};

const NOBODY: u32 = 65534;

/// Says what this host gives to whoever runs it. Run by the test below as another user.
#[tokio::test]
async fn what_this_user_gets() {
    let launcher = start(config()).await;
    println!("level: {}", launcher.report());
    launcher.shutdown().await;
}

#[test]
fn every_promise_holds_without_privileges() {
    if !rustix::process::geteuid().is_root() {
        return skip("not root, so these tests have run without privileges already");
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let binary = folder.path().join("isolation");
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    // What tests leave behind that end by being killed goes with the folder.
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    std::os::unix::fs::chown(&temporary, Some(NOBODY), Some(NOBODY)).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(&binary)
            .args(arguments)
            .current_dir("/")
            .env_remove("HOME")
            .env("PATH", "/usr/bin:/bin")
            .env("TMPDIR", &temporary)
            .uid(NOBODY)
            .gid(NOBODY)
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), said, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (succeeded, said, words) = run(&["--exact", "unprivileged::what_this_user_gets", "--nocapture"]);
    assert!(succeeded, "{said}\n{words}");
    if !said.contains(Level::NamespacesUser.as_str()) {
        return skip(&format!("no user namespaces without privileges: {said}"));
    }
    let (succeeded, list, words) = run(&["--list", "--format=terse"]);
    assert!(succeeded, "{words}");
    let tests: Vec<&str> = list.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    let tests: Vec<&str> = tests.into_iter().filter(|name| !name.starts_with("unprivileged::")).collect();
    assert!(tests.len() > 40, "{list}");
    // Each in a process of its own, two at a time.
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut failed = String::new();
        while let Some(name) = tests.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            let (succeeded, said, words) = run(&["--exact", name, "--nocapture"]);
            if !succeeded {
                failed.push_str(&format!("{name}:\n{said}\n{words}\n"));
            }
        }
        failed
    };
    let failed = std::thread::scope(|scope| {
        let second = scope.spawn(work);
        work() + &second.join().expect("no panic")
    });
    assert!(failed.is_empty(), "{failed}");
}
