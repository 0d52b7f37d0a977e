//! Limits on memory, processes and files, and giving way.

use std::time::Instant;

use pitbird_sandbox::CgroupVersion;

use crate::support::{Code, launcher, run, shell, within};

#[tokio::test]
async fn too_much_memory_is_told_from_other_deaths() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(mut spec) =
        code.python("print('eating', flush=True)\nb = bytearray(200 << 20)\nprint('survived')")
    else {
        return;
    };
    spec.memory_bytes = 64 << 20;
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    let said = crate::support::read_all(sandbox.take_output()).await;
    let exit = within(sandbox.exited()).await;
    assert_eq!(
        (said.as_str(), exit.signal, exit.code, exit.out_of_memory),
        ("eating\n", Some(9), None, true)
    );
    let peak = sandbox.memory_peak_bytes();
    // Where memory is only looked at from time to time, more may be in use when it is seen.
    let most = if launcher.report().cgroups == CgroupVersion::None { 256 << 20 } else { 64 << 20 };
    assert!(peak > 48 << 20 && peak <= most, "{peak}");
}

#[tokio::test]
async fn a_child_that_eats_memory_takes_all_down() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let script =
        "import os, time\nif os.fork() == 0:\n    b = bytearray(200 << 20)\n    os._exit(0)\ntime.sleep(60)";
    let Some(mut spec) = code.python(script) else { return };
    spec.memory_bytes = 64 << 20;
    let begun = Instant::now();
    let (_, exit) = run(&launcher, spec).await;
    assert!(exit.out_of_memory && exit.signal == Some(9), "{exit:?}");
    assert!(begun.elapsed().as_secs() < 20);
}

#[tokio::test]
async fn filling_tmp_beyond_memory_ends_only_this_sandbox() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let mut spec = code.shell("cat /dev/zero > /tmp/a");
    spec.memory_bytes = 32 << 20;
    spec.tmp_bytes = 256 << 20;
    let (_, exit) = run(&launcher, spec).await;
    assert!(exit.out_of_memory, "{exit:?}");
    assert_eq!(shell(&launcher, &code, "echo fine").await, "fine\n");
}

#[tokio::test]
async fn memory_in_use_can_be_read_while_it_runs() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) =
        code.python("b = bytearray(30 << 20)\nprint('held', flush=True)\nimport time; time.sleep(60)")
    else {
        return;
    };
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    assert_eq!(crate::support::read_line(sandbox.take_output()).await.0, "held");
    let peak = sandbox.memory_peak_bytes();
    assert!(peak > 30 << 20 && peak < 100 << 20, "{peak}");
}

#[tokio::test]
async fn a_fork_bomb_hurts_only_itself() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let bomb = "bomb() { bomb | bomb & }; (bomb; bomb) 2>/dev/null & exec sleep 60";
    let mut spec = code.shell(bomb);
    spec.processes_max = 32;
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    let output = sandbox.take_output();
    // Everything else goes on meanwhile.
    assert_eq!(shell(&launcher, &code, "echo fine").await, "fine\n");
    sandbox.kill();
    assert_eq!(within(sandbox.exited()).await.signal, Some(9));
    drop(output);
}

#[tokio::test]
async fn processes_are_counted() {
    let Some(launcher) = launcher().await else { return };
    let script = "import os, signal\nn = 0\ntry:\n    while n < 100:\n        if os.fork() == 0: signal.pause()\n        n += 1\nexcept BlockingIOError: pass\nprint(n)";
    let code = Code::new();
    let Some(mut spec) = code.python(script) else { return };
    spec.processes_max = 20;
    let (said, exit) = run(&launcher, spec).await;
    assert_eq!((said.as_str(), exit.code), ("19\n", Some(0)));
}

#[tokio::test]
async fn open_files_are_limited_and_no_core_is_written() {
    let Some(launcher) = launcher().await else { return };
    let said = shell(
        &launcher,
        &Code::new(),
        "ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc; ulimit -n 65 2>/dev/null || echo kept",
    )
    .await;
    assert_eq!(said, "64\n64\n0\n0\nkept\n");
}

/// Where the host collects dumps by a program, a limit of 0 is none (core(5)): a crash would have that program run as root, beside all
/// sandboxes, on bytes of the guest's. Only 1 keeps it from it, and whoever may lower a limit could make it 0.
#[tokio::test]
async fn no_crash_is_fed_to_the_hosts_collector_of_dumps() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let script = r#"
import ctypes, resource
c = ctypes.CDLL(None, use_errno=True)
none, old = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 2)(7, 7)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
print(c.syscall(160, 4, none), c.syscall(302, 0, 4, none, None), c.syscall(302, 1, 4, none, None), c.syscall(302, 0, 4, none, old))
print(resource.getrlimit(resource.RLIMIT_CORE), *old, *resource.prlimit(1, resource.RLIMIT_CORE))
"#;
    let Some(spec) = code.python(script) else { return };
    if cfg!(target_arch = "x86_64") {
        let (said, exit) = run(&launcher, spec).await;
        assert_eq!((said.as_str(), exit.code), ("0 0 0 -1\n(1, 1) 7 7 1 1\n", Some(0)));
    }
    // What a crash looks like otherwise stays.
    let (_, exit) = run(&launcher, code.shell("ulimit -c 0; kill -SEGV $$")).await;
    assert_eq!((exit.signal, exit.out_of_memory), (Some(11), false));
}

#[tokio::test]
async fn the_guest_gives_way() {
    let Some(launcher) = launcher().await else { return };
    let own = std::fs::read_to_string("/proc/self/stat").unwrap();
    let nice = |stat: &str| stat.split(' ').nth(18).unwrap().parse::<i32>().unwrap();
    let said = shell(&launcher, &Code::new(), "read -r stat < /proc/self/stat; echo \"$stat\"").await;
    assert_eq!(nice(&said), (nice(&own) + 5).min(19), "{said}");
    // SCHED_BATCH; proc(5) counts from 1.
    assert_eq!(said.split(' ').nth(40), Some("3"), "{said}");
}

#[tokio::test]
async fn what_waits_in_connections_is_limited() {
    let Some(launcher) = launcher().await else { return };
    if launcher.report().cgroups == CgroupVersion::None {
        return crate::support::skip("no control groups");
    }
    let code = Code::new();
    let Some(mut spec) = code.python(
        r#"
import socket
server = socket.create_server(("127.0.0.1", 0), backlog=128)
kept, total = [], 0
for _ in range(200):
    one = socket.create_connection(server.getsockname())
    kept += [one, server.accept()[0]]
    one.setblocking(False)
    try:
        while True: total += one.send(bytes(1 << 18))
    except BlockingIOError: pass
print(total >> 20)
"#,
    ) else {
        return;
    };
    (spec.open_files_max, spec.memory_bytes) = (1024, 64 << 20);
    let (said, exit) = run(&launcher, spec).await;
    // The second version counts it as memory, and kills.
    let held: u64 = said.trim().parse().unwrap_or(0);
    assert!(held < 64, "{held} MiB {exit:?}");
}
