//! Shares of the CPU: what is measured is the CPU time that the guest itself got for the time that went by, which a busy host
//! only makes less.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use pitbird_sandbox::{Launcher, Level, Sandbox, Spec};
use rustix::process::{Pid, Signal};

use crate::support::{Code, config, groups_of, read_line, skip, spawner_of, start, within};

/// Spins for so many seconds and says how many thousandths of a CPU it got, children with it. `go` waits for the test.
const PRELUDE: &str = r#"
import os, socket, time
def used(): return sum(os.times()[:4])
def spin(seconds):
    wall, cpu = time.monotonic(), used()
    while time.monotonic() < wall + seconds: pass
    return wall, cpu
def say(wall, cpu): print(int((used() - cpu) / (time.monotonic() - wall) * 1000), flush=True)
def go():
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    socket.create_connection((host, int(port))).recv(1)
"#;

async fn launcher() -> Option<Launcher> {
    launcher_at(Level::NamespacesRoot).await
}

/// A launcher that can share CPU out, no stronger than this, or `None` with words.
async fn launcher_at(level: Level) -> Option<Launcher> {
    let mut config = config();
    (config.cpu_shares, config.strongest_level) = (true, level);
    let launcher = start(config).await;
    if !launcher.report().has_cpu_shares {
        let is_said = launcher.report().missing.iter().any(|missing| missing.what == "CPU share");
        assert!(is_said, "{}", launcher.report());
        skip(&format!("no CPU shares: {}", launcher.report()));
        return None;
    }
    Some(launcher)
}

fn python(code: &Code, script: &str) -> Option<Spec> {
    code.python(&format!("{PRELUDE}{script}"))
}

/// The next number that it says, and the rest of what it will.
async fn number(output: OwnedFd) -> (u32, OwnedFd) {
    let (line, output) = read_line(output).await;
    (line.parse().unwrap_or_else(|_| panic!("{line:?} is no number")), output)
}

/// Waits until the guest asks to go on, does something, and lets it.
async fn when_asked(sandbox: &mut Sandbox, act: impl FnOnce(&Sandbox)) {
    let listener = sandbox.take_listener();
    listener.set_nonblocking(false).expect("a socket");
    let accepted = tokio::task::spawn_blocking(move || listener.accept().expect("the guest").0);
    let mut stream = within(accepted).await.expect("the guest");
    act(sandbox);
    std::io::Write::write_all(&mut stream, b"!").expect("the guest hears");
}

fn hold(share: f64) -> impl FnOnce(&Sandbox) {
    move |sandbox| assert!(sandbox.hold_to_cpu_share(share).expect("it lives"), "the launcher can")
}

/// On a busy host nobody has much; of some starts one will.
const STARTS: usize = 5;

#[tokio::test]
async fn before_it_is_held_it_has_all_and_then_its_share() {
    for level in [Level::NamespacesRoot, Level::Process] {
        let Some(launcher) = launcher_at(level).await else { return };
        let code = Code::new();
        let Some(spec) = python(&code, "say(*spin(0.5)); go(); say(*spin(1))") else { return };
        let mut most = 0;
        for _ in 0..STARTS {
            let mut sandbox = within(launcher.launch(spec.clone())).await.unwrap();
            let (boosted, output) = number(sandbox.take_output()).await;
            when_asked(&mut sandbox, hold(0.1)).await;
            let (held, _output) = number(output).await;
            assert!((10..=130).contains(&held), "{level}: {held} thousandths at a share of 100");
            most = most.max(boosted);
            if most > 200 {
                break;
            }
        }
        assert!(most > 200, "{level}: {most} thousandths before it was held");
    }
}

#[tokio::test]
async fn a_share_is_for_everything_in_it_together() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let script = "
go()
begun = time.monotonic(), used()
for _ in range(4):
    if os.fork() == 0: spin(1); os._exit(0)
for _ in range(4): os.wait()
say(*begun)
";
    let Some(spec) = python(&code, script) else { return };
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    let output = sandbox.take_output();
    when_asked(&mut sandbox, hold(0.2)).await;
    let (all, _output) = number(output).await;
    assert!((20..=260).contains(&all), "{all} thousandths at a share of 200");
}

#[tokio::test]
async fn work_after_a_pause_is_not_held_up_by_it() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    // At a share of a tenth and periods of 20 ms: 1 ms of work is far below what one may use at once. What is told is the quickest
    // of many, for the host may be busy with something else at any of them.
    let script = "
def work():
    time.sleep(0.1)
    wall, cpu = time.monotonic(), used()
    end = time.process_time() + 0.001
    while time.process_time() < end: pass
    return (time.monotonic() - wall) * 1e6
go(); print(int(min(work() for _ in range(20))), flush=True)";
    let Some(spec) = python(&code, script) else { return };
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    let output = sandbox.take_output();
    when_asked(&mut sandbox, hold(0.1)).await;
    let (microseconds, _output) = number(output).await;
    assert!((1000..10_000).contains(&microseconds), "{microseconds} µs for 1000 µs of work");
}

#[tokio::test]
async fn what_has_used_up_its_share_is_let_go_to_die() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    // Deep in debt, and with much to give back.
    let script = "
held = b'x' * (50 << 20)
go()
spin(0.1); print('in debt', flush=True)
while True: pass";
    let Some(spec) = python(&code, script) else { return };
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    let output = sandbox.take_output();
    when_asked(&mut sandbox, hold(0.01)).await;
    let (line, _output) = read_line(output).await;
    assert_eq!(line, "in debt");
    assert!(["1000", "1000 20000"].contains(&quota().as_str()), "{}", quota());
    // While the spawner stands still it doesn't remove the group.
    let [spawner] = spawner_of(std::process::id())[..] else { panic!("one spawner") };
    let spawner = Pid::from_raw(spawner.cast_signed()).unwrap();
    rustix::process::kill_process(spawner, Signal::STOP).unwrap();
    sandbox.kill();
    let left = quota();
    rustix::process::kill_process(spawner, Signal::CONT).unwrap();
    assert!(["-1", "max 20000"].contains(&left.as_str()), "{left}");
    let begun = Instant::now();
    assert_eq!(within(sandbox.exited()).await.signal, Some(9));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// What is in the quota file of the only sandbox of this process's launcher.
fn quota() -> String {
    let groups = groups_of(std::process::id()).into_iter();
    let sandboxes = groups.flat_map(|group| std::fs::read_dir(group).into_iter().flatten().flatten());
    let files =
        sandboxes.flat_map(|group| ["cpu.cfs_quota_us", "cpu.max"].map(|file| group.path().join(file)));
    let found: Vec<String> = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    let [quota] = &found[..] else { panic!("one sandbox with a quota: {found:?}") };
    quota.trim().to_owned()
}

#[tokio::test]
async fn what_stands_still_is_held_and_killed_as_ever() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) = python(&code, "go(); print('spins', flush=True)\nwhile True: pass") else { return };
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    let output = sandbox.take_output();
    when_asked(&mut sandbox, hold(0.02)).await;
    let (line, _output) = read_line(output).await;
    assert_eq!(line, "spins");
    if !sandbox.set_frozen(true).unwrap() {
        return skip(&format!("nothing freezes: {}", launcher.report()));
    }
    // Held anew while it stands still, and more than before, for which what it may save up must not be too much.
    assert!(sandbox.hold_to_cpu_share(0.01).unwrap() && sandbox.hold_to_cpu_share(1.5).unwrap());
    sandbox.kill();
    assert_eq!(within(sandbox.exited()).await.signal, Some(9));
}

#[tokio::test]
async fn a_launcher_that_was_not_asked_has_none() {
    let Some(launcher) = crate::support::launcher().await else { return };
    assert!(!launcher.report().has_cpu_shares);
    let code = Code::new();
    let sandbox = within(launcher.launch(code.shell("exec sleep 60"))).await.unwrap();
    assert!(!sandbox.hold_to_cpu_share(0.5).unwrap());
    let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", sandbox.pid())).unwrap();
    let own = groups.lines().filter(|line| {
        line.split(':').nth(1).is_some_and(|names| names.split(',').any(|name| name == "cpu"))
    });
    assert!(own.clone().all(|line| !line.contains("pitbird-")), "{groups}");
}
