//! Nothing stays: after a drop, a shutdown, the spawner's death, the daemon's death, and both.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pitbird_sandbox::{Error, Launcher, Level};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Code, config, groups_of, launcher, open_to_all, processes_with, read_all, ready, run, shell, skip,
    spawner_of, start, until, within,
};

/// Set for the process that plays the daemon and is killed.
const ROLE: &str = "SANDBOX_TEST_MARKER";

fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a pid");
    kill_process(pid, Signal::KILL).expect("it can be killed");
}

fn marker(number: u32) -> String {
    format!("61.{}{number}", std::process::id())
}

#[tokio::test]
async fn dropping_kills_and_removes() {
    let Some(launcher) = launcher().await else { return };
    let marker = marker(1);
    let (sandbox, output) = ready(&launcher, &Code::new(), &format!("sleep {marker} & wait")).await;
    drop(sandbox);
    assert_eq!(read_all(output).await, "");
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
    // The launcher's own directories stay, the sandbox's goes.
    let groups = groups_of(std::process::id());
    until("control groups are removed", || {
        groups
            .iter()
            .all(|group| !std::fs::read_dir(group).unwrap().flatten().any(|entry| entry.path().is_dir()))
    })
    .await;
}

#[tokio::test]
async fn a_launch_nobody_waits_for_leaves_nothing() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let marker = marker(2);
    for microseconds in [0, 100, 500, 1000, 2000, 5000] {
        let launch = launcher.launch(code.shell(&format!("exec sleep {marker}")));
        let _ = tokio::time::timeout(std::time::Duration::from_micros(microseconds), launch).await;
    }
    // Whatever was asked for before this one has been made.
    assert_eq!(shell(&launcher, &code, "echo last").await, "last\n");
    until("abandoned sandboxes are gone", || processes_with(&marker).is_empty()).await;
}

#[tokio::test]
async fn shutdown_leaves_nothing() {
    let mut config = config();
    config.spares = 3;
    let launcher = start(config).await;
    let code = Code::new();
    let marker = marker(3);
    let mut kept = Vec::new();
    for _ in 0..3 {
        kept.push(ready(&launcher, &code, &format!("(setsid sleep {marker} &); exec sleep {marker}")).await);
    }
    let spawner = spawner_of(std::process::id());
    assert_eq!(spawner.len(), 1);
    within(launcher.clone().shutdown()).await;
    for (sandbox, _) in &kept {
        assert_eq!(within(sandbox.exited()).await.signal, Some(9));
    }
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
    assert_eq!(spawner_of(std::process::id()), Vec::<u32>::new());
    assert_eq!(groups_of(std::process::id()), Vec::<std::path::PathBuf>::new());
    let error = within(launcher.launch(code.shell("true"))).await.expect_err("shut down");
    assert!(matches!(error, Error::ShutDown));
}

#[tokio::test]
async fn dropping_the_launcher_ends_the_spawner() {
    let Some(launcher) = launcher().await else { return };
    let (sandbox, _output) = ready(&launcher, &Code::new(), "exec sleep 60").await;
    drop(launcher);
    assert_eq!(within(sandbox.exited()).await.signal, Some(9));
    until("the spawner has ended", || spawner_of(std::process::id()).is_empty()).await;
    until("control groups are removed", || groups_of(std::process::id()).is_empty()).await;
}

#[tokio::test]
async fn the_spawners_death_is_everybodys_and_another_takes_over() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let marker = marker(4);
    let mut kept = Vec::new();
    for _ in 0..3 {
        kept.push(ready(&launcher, &code, &format!("(setsid sleep {marker} &); exec sleep {marker}")).await);
    }
    let before = groups_of(std::process::id());
    let spawner = spawner_of(std::process::id())[0];
    kill(spawner);
    for (sandbox, output) in kept {
        assert_eq!(within(sandbox.exited()).await.signal, Some(9));
        assert_eq!(read_all(output).await, "");
    }
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
    assert_eq!(shell(&launcher, &code, "echo again").await, "again\n");
    assert_ne!(spawner_of(std::process::id()), vec![spawner]);
    until("its control groups are removed", || before.iter().all(|group| !group.exists())).await;
}

/// Plays the daemon when the environment says so, until it is killed.
#[tokio::test]
async fn daemon_to_be_killed() {
    let Some(marker) = std::env::var(ROLE).ok() else { return };
    let mut config = config();
    config.spares = 2;
    if let Some(level) = std::env::var("SANDBOX_TEST_LEVEL").ok().and_then(|text| Level::parse(&text)) {
        config.strongest_level = level;
    }
    let launcher: Launcher = start(config).await;
    let code = Code::new();
    let mut kept = Vec::new();
    for _ in 0..3 {
        let script = format!("(trap '' TERM HUP; setsid sleep {marker} &); exec sleep {marker}");
        kept.push(ready(&launcher, &code, &script).await);
    }
    println!("running");
    within(kept[0].0.exited()).await;
}

/// What it leaves behind when it is killed goes with `folder`.
fn daemon(marker: &str, level: Level, folder: &Path) -> Child {
    let mut daemon = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "life::daemon_to_be_killed", "--nocapture"])
        .env(ROLE, marker)
        .env("SANDBOX_TEST_LEVEL", level.as_str())
        .env("TMPDIR", folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(daemon.stdout.take().expect("piped")).lines();
    let running = lines.map_while(Result::ok).any(|line| line.ends_with("running"));
    assert!(running, "the daemon did not get to run sandboxes");
    daemon
}

#[tokio::test]
async fn the_daemons_death_leaves_nothing() {
    for level in [Level::NamespacesRoot, Level::Landlock, Level::Process] {
        let marker = marker(5);
        let folder = tempfile::tempdir().unwrap();
        open_to_all(folder.path());
        let mut daemon = daemon(&marker, level, folder.path());
        until("all sleep", || processes_with(&marker).len() == 6).await;
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        until("sandboxes are gone", || processes_with(&marker).is_empty()).await;
        until("the spawner is gone", || spawner_of(daemon.id()).is_empty()).await;
        until("control groups are removed", || groups_of(daemon.id()).is_empty()).await;
    }
}

#[tokio::test]
async fn the_death_of_both_leaves_groups_that_the_next_start_sweeps() {
    for level in [Level::NamespacesRoot, Level::Landlock, Level::Process] {
        let marker = marker(6);
        let folder = tempfile::tempdir().unwrap();
        open_to_all(folder.path());
        let mut daemon = daemon(&marker, level, folder.path());
        let spawner = spawner_of(daemon.id())[0];
        // The daemon first, stopped, so that it cannot clean up after the spawner.
        kill_process(Pid::from_child(&daemon), Signal::STOP).unwrap();
        kill(spawner);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        until("sandboxes are gone", || processes_with(&marker).is_empty()).await;
        drop(start(config()).await);
        until("control groups are swept", || groups_of(daemon.id()).is_empty()).await;
    }
}

#[tokio::test]
async fn a_living_launchers_groups_are_not_swept() {
    let Some(launcher) = launcher().await else { return };
    let (sandbox, _output) = ready(&launcher, &Code::new(), "exec sleep 60").await;
    let before = groups_of(std::process::id());
    within(start(config()).await.shutdown()).await;
    assert!(before.iter().all(|group| group.exists()));
    let exited = tokio::time::timeout(std::time::Duration::ZERO, sandbox.exited()).await;
    assert!(exited.is_err(), "{exited:?}");
}

#[tokio::test]
async fn no_more_sandboxes_than_allowed() {
    let mut config = config();
    config.sandboxes_max = 2;
    let launcher = start(config).await;
    let code = Code::new();
    let first = ready(&launcher, &code, "exec sleep 60").await;
    let _second = ready(&launcher, &code, "exec sleep 60").await;
    let error = within(launcher.launch(code.shell("true"))).await.expect_err("one too many");
    assert!(matches!(error, Error::TooMany { limit: 2 }));
    drop(first);
    assert_eq!(shell(&launcher, &code, "echo room").await, "room\n");
}

#[tokio::test]
async fn spares_serve_one_sandbox_each() {
    let mut config = config();
    config.spares = 2;
    let launcher = start(config).await;
    let code = Code::new();
    let script = "ls -A /tmp; cat /tmp/x 2>/dev/null; echo x > /tmp/x; hostname; cd /proc; echo [0-9]*";
    for _ in 0..8 {
        if launcher.report().level >= Level::NamespacesUser {
            assert_eq!(shell(&launcher, &code, script).await, "localhost\n1 2\n");
        }
    }
}

#[tokio::test]
async fn spares_are_prepared_on_request() {
    let mut config = config();
    config.spares = 2;
    let launcher = start(config).await;
    if launcher.report().level < Level::NamespacesUser {
        return crate::support::skip("only sandboxes with namespaces are prepared");
    }
    let spawner = spawner_of(std::process::id())[0];
    let children = || {
        let text =
            std::fs::read_to_string(format!("/proc/{spawner}/task/{spawner}/children")).unwrap_or_default();
        text.split_whitespace().count()
    };
    until("the trial's sandbox is gone", || children() == 0).await;
    launcher.prepare(&pitbird_sandbox::system_read_only()).await;
    until("two spares are there", || children() == 2).await;
    // Paths that do not exist are no reason to fail before a launch.
    launcher.prepare(&["/no/such".into()]).await;
    let code = Code::new();
    assert_eq!(shell(&launcher, &code, "echo used").await, "used\n");
    until("the used one is replaced", || children() == 2).await;
    let mut spec = code.shell("true");
    spec.host_read_only.push("/no/such".into());
    let error = within(launcher.launch(spec)).await.expect_err("no such path");
    assert!(matches!(&error, Error::Spec(text) if text == "host path /no/such does not exist"), "{error}");
}

#[tokio::test]
async fn many_at_once() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let launches: Vec<_> =
        (0..40).map(|number| (number, launcher.clone(), code.shell(&format!("echo {number}")))).collect();
    let running: Vec<_> = launches
        .into_iter()
        .map(|(number, launcher, spec)| {
            tokio::spawn(async move { (number, crate::support::run(&launcher, spec).await) })
        })
        .collect();
    for run in running {
        let (number, (said, exit)) = within(run).await.unwrap();
        assert_eq!((said, exit.code), (format!("{number}\n"), Some(0)));
    }
    within(launcher.shutdown()).await;
    assert_eq!(groups_of(std::process::id()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_service_managers_signals_are_the_daemons_to_answer() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let (sandbox, _output) = ready(&launcher, &code, "exec sleep 60").await;
    let spawner = spawner_of(std::process::id());
    for pid in [spawner[0], sandbox.pid()] {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
            kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
        }
    }
    // Signals are taken before anything that is asked for after them.
    assert_eq!(shell(&launcher, &code, "echo alive").await, "alive\n");
    assert_eq!(spawner_of(std::process::id()), spawner);
    let exited = tokio::time::timeout(std::time::Duration::ZERO, sandbox.exited()).await;
    assert!(exited.is_err(), "{exited:?}");
}

#[tokio::test]
async fn what_is_no_spawner_is_refused() {
    let mut config = config();
    config.spawner.program = "/bin/true".into();
    let error = within(Launcher::start(config.clone())).await.expect_err("no spawner");
    assert!(matches!(error, Error::Spawner(_)), "{error}");
    config.spawner.program = "/no/such".into();
    let error = within(Launcher::start(config)).await.expect_err("no spawner");
    assert!(matches!(error, Error::Spawner(_)), "{error}");
}

#[tokio::test]
async fn frozen_it_stands_still_and_can_be_killed() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let mut sandbox = within(launcher.launch(code.shell("while :; do echo tick; done"))).await.unwrap();
    if !sandbox.set_frozen(true).unwrap() {
        return skip(&format!("nothing freezes: {}", launcher.report()));
    }
    let output = sandbox.take_output();
    let group = std::fs::read_to_string(format!("/proc/{}/cgroup", sandbox.pid())).unwrap();
    let own = group.lines().find_map(|line| line.strip_prefix("0::")).expect("a group of the second version");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 ")).unwrap().split(' ').nth(4).unwrap();
    let events = format!("{mount}{own}/cgroup.events");
    let is = |wanted: &str| std::fs::read_to_string(&events).is_ok_and(|text| text.contains(wanted));
    until("frozen", || is("frozen 1")).await;
    assert!(sandbox.set_frozen(false).unwrap());
    until("let go on", || is("frozen 0")).await;
    assert!(sandbox.set_frozen(true).unwrap());
    sandbox.kill();
    assert_eq!(within(sandbox.exited()).await.signal, Some(9));
    // All that had the other end are gone. It may not have come to say anything.
    let said = read_all(output).await;
    assert!(said.is_empty() || said.ends_with("tick\n"), "{said}");
}

#[tokio::test]
async fn what_lies_in_tmp_can_be_had_by_the_next() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let marker = marker(7);
    let write = format!("echo one > /tmp/a; mkdir -m 700 /tmp/d; echo two > /tmp/d/b; exec sleep {marker}");
    let (mut first, output) = ready(&launcher, &code, &write).await;
    let tmp = first.take_tmp().expect("a hold of it");
    assert!(first.take_tmp().is_none());
    until("it is written", || !processes_with(&marker).is_empty()).await;
    first.kill();
    within(first.exited()).await;
    drop((first, output));
    let read = code.shell(
        "cat /tmp/a /tmp/d/b; echo three > /tmp/c && cat /tmp/c; df -k /tmp | tail -1; touch /tmp/x/y",
    );
    let bytes = read.tmp_bytes;
    let mut second = within(launcher.launch_with(read, Some(tmp))).await.unwrap();
    let (output, tmp) = (second.take_output(), second.take_tmp());
    within(second.exited()).await;
    let said = read_all(output).await;
    assert!(said.starts_with("one\ntwo\nthree\n"), "{said}");
    assert!(said.contains(&format!(" {} ", bytes / 1024)), "its size holds: {said}");
    // A third has what the second left, and without a hold there is nothing.
    let mut third = within(launcher.launch_with(code.shell("cat /tmp/c"), tmp)).await.unwrap();
    let output = third.take_output();
    assert_eq!(read_all(output).await, "three\n");
    assert_eq!(run(&launcher, code.shell("ls -A /tmp")).await.0, "");
}
