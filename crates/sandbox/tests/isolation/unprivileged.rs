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

/// Runs a program in which there is no clone3, as in many containers: their filters can't see its flags.
const WITHOUT_CLONE3: &str = r#"
import ctypes, os, struct, sys
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 435), (0x06, 0, 0, 0x00050026), (0x06, 0, 0, 0x7fff0000)]
text = b"".join(struct.pack("HBBI", *step) for step in steps)
held = ctypes.create_string_buffer(text, len(text))
class Program(ctypes.Structure): _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
program = Program(len(steps), ctypes.addressof(held))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn without_clone3_sandboxes_are_made_all_the_same() {
    let own = std::env::current_exe().unwrap();
    let said = |mut command: Command, test: &str| {
        let output = command.args(["--exact", test, "--nocapture"]).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{test}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said.lines().find(|line| line.starts_with("level: ")).map(str::to_owned)
    };
    let without = || {
        let mut python = Command::new("/usr/bin/python3");
        python.args(["-c", WITHOUT_CLONE3]).arg(&own);
        python
    };
    if !std::path::Path::new("/usr/bin/python3").exists() {
        return skip("no python3");
    }
    let what = "unprivileged::what_this_user_gets";
    assert_eq!(said(without(), what), said(Command::new(&own), what));
    for test in [
        "limits::too_much_memory_is_told_from_other_deaths",
        "life::frozen_it_stands_still_and_can_be_killed",
        "processes::killing_leaves_no_process",
    ] {
        said(without(), test);
    }
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
