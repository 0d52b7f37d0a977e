//! Who a guest is and what the kernel lets it do.

use crate::support::{Code, launcher, run, shell};

#[tokio::test]
async fn no_capabilities_no_new_privileges_and_a_filter() {
    let Some(launcher) = launcher().await else { return };
    let said = shell(&launcher, &Code::new(), "cat /proc/self/status").await;
    let value = |key: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap_or_else(|| panic!("no {key} in {said}"));
        line.split_whitespace().next().unwrap().to_owned()
    };
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(value(set), "0000000000000000", "{set}");
    }
    assert_eq!((value("NoNewPrivs:"), value("Seccomp:")), ("1".to_owned(), "2".to_owned()));
    assert_eq!((value("Uid:"), value("Gid:")), ("993".to_owned(), "990".to_owned()));
}

#[tokio::test]
async fn every_sandbox_is_another_user_of_the_host() {
    use std::os::unix::fs::MetadataExt as _;
    let Some(launcher) = launcher().await else { return };
    if launcher.report().level < pitbird_sandbox::Level::NamespacesRoot {
        return crate::support::skip("not root");
    }
    let code = Code::new();
    let mut users = Vec::new();
    let mut sandboxes = Vec::new();
    for _ in 0..3 {
        let (sandbox, output) = crate::support::ready(&launcher, &code, "exec sleep 60").await;
        let children =
            std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", sandbox.pid())).unwrap();
        let guest = children.split_whitespace().next().unwrap();
        users.push(std::fs::metadata(format!("/proc/{guest}")).unwrap().uid());
        sandboxes.push((sandbox, output));
    }
    users.sort_unstable();
    users.dedup();
    assert_eq!(users.len(), 3);
    assert!(users.iter().all(|user| *user >= 1_879_048_192), "{users:?}");
}

#[tokio::test]
async fn dangerous_system_calls_are_refused() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) = code.python(
        r#"
import ctypes, errno, os
c = ctypes.CDLL(None, use_errno=True)
calls = {"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "ptrace": 101, "bpf": 321, "io_uring_setup": 425,
         "keyctl": 250, "add_key": 248, "unshare": 272, "setns": 308, "perf_event_open": 298, "userfaultfd": 323,
         "process_vm_readv": 310, "open_by_handle_at": 304, "reboot": 169, "init_module": 175, "kexec_load": 246,
         "settimeofday": 164, "swapon": 167, "open_tree": 428, "fsopen": 430, "mount_setattr": 442, "pidfd_getfd": 438,
         "io_setup": 206}
if os.uname().machine == "x86_64":
    for name, number in calls.items():
        result = c.syscall(number, 0, 0, 0, 0, 0)
        if result != -1 or ctypes.get_errno() != errno.EPERM:
            print("not refused:", name, result, errno.errorcode.get(ctypes.get_errno()))
    for name, call in {"mmap of huge pages": (9, 0, 2 << 20, 3, 0x40022, -1, 0), "memfd of huge pages": (319, b"x", 4),
                       "shared memory of huge pages": (29, 0, 2 << 20, 0o5600), "a core of its own": (157, 62, 1, 0, 0, 0)}.items():
        if c.syscall(*[ctypes.c_long(a) if isinstance(a, int) else a for a in call]) != -1 or ctypes.get_errno() != errno.EPERM:
            print("not refused:", name)
    if c.syscall(162) != 0 or c.syscall(306, 0) != 0: print("sync fails")
    for flag in (0x10000000, 0x00020000, 0x40000000, 0x20000000):
        result = c.syscall(56, flag | 17, 0, 0, 0, 0)
        if result == 0: os._exit(0)
        if result != -1 or ctypes.get_errno() != errno.EPERM: print("clone with", hex(flag), "not refused")
import socket
for family, kind, protocol in ((socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 0), (socket.AF_NETLINK, socket.SOCK_RAW, 12), (40, socket.SOCK_STREAM, 0), (38, socket.SOCK_SEQPACKET, 0)):
    try:
        socket.socket(family, kind, protocol)
        print("socket", family, kind)
    except PermissionError: pass
for attempt in (lambda: os.setuid(0), lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0)), lambda: os.kill(1, 9)):
    try:
        attempt()
    except OSError: pass
print(os.getuid(), "done")
"#,
    ) else {
        return;
    };
    let (said, exit) = run(&launcher, spec).await;
    assert_eq!((said.as_str(), exit.code), ("993 done\n", Some(0)));
}

#[tokio::test]
async fn interpreters_work_under_the_filter() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let script = r#"
import asyncio, concurrent.futures, json, os, socket, ssl, subprocess, sys, tempfile, threading, zlib
with tempfile.NamedTemporaryFile() as file: file.write(b"x"); file.flush()
with concurrent.futures.ThreadPoolExecutor(8) as pool: assert sum(pool.map(len, ["a"] * 32)) == 32
assert subprocess.run(["/bin/echo", "child"], capture_output=True).stdout == b"child\n"
async def wait(): await asyncio.sleep(0.001); return 1
assert asyncio.run(wait()) == 1
ssl.create_default_context()
assert socket.getaddrinfo("localhost", 80)
assert os.path.exists("/proc/self/exe") and os.cpu_count() > 0
print(os.environ["AWS_LAMBDA_RUNTIME_API"], os.getcwd(), os.listdir("."))
"#;
    if let Some(spec) = code.python(script) {
        let (said, exit) = run(&launcher, spec).await;
        assert_eq!((said.as_str(), exit.code), ("127.0.0.1:9001 /var/task ['own.txt']\n", Some(0)));
    }
    if std::path::Path::new("/usr/bin/node").exists() {
        let script = "const fs=require('fs');fs.writeFileSync('/tmp/a','b');\
            const {Worker}=require('worker_threads');new Worker('require(\"worker_threads\").parentPort.postMessage(1)',{eval:true})\
            .on('message',m=>{require('child_process').execFile('/bin/echo',['x'],(e,o)=>console.log(m,o.trim(),fs.readdirSync('.')[0]))});";
        let mut spec = code.spec("/usr/bin/node", &["-e", script]);
        spec.memory_bytes = 512 << 20;
        let (said, exit) = run(&launcher, spec).await;
        assert_eq!((said.as_str(), exit.code), ("1 x own.txt\n", Some(0)));
    } else {
        crate::support::skip("no node under /usr/bin");
    }
}

#[tokio::test]
async fn without_user_namespaces_root_still_makes_real_sandboxes() {
    if !rustix::process::geteuid().is_root() {
        return crate::support::skip("not root");
    }
    let mut config = crate::support::config();
    config.user_namespaces = false;
    let launcher = crate::support::start(config).await;
    if launcher.report().level < pitbird_sandbox::Level::NamespacesRoot {
        return crate::support::skip(&launcher.report().to_string());
    }
    assert!(!launcher.report().user_namespace);
    let script = "grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; ls -d /root /home/* /etc/shadow 2>&1 >/dev/null | wc -l; \
                  touch /var/task/x 2>/dev/null || echo x > /tmp/x; cat /tmp/x; echo /proc/[0-9]*; cat /proc/1/environ 2>/dev/null; kill -9 1 2>/dev/null; echo $?";
    let said = shell(&launcher, &Code::new(), script).await;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("Uid:\t18790"), "{said}");
    assert_eq!(
        &lines[1..5],
        ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]
    );
    assert_eq!(&lines[5..], ["3", "x", "/proc/1 /proc/2", "0"], "{said}");
}

/// What the kernel counts for each user, or for everybody, taken by a guest as far as it gets.
#[tokio::test]
async fn what_a_guest_uses_up_is_its_own() {
    let Some(launcher) = launcher().await else { return };
    if launcher.report().level < pitbird_sandbox::Level::NamespacesRoot {
        return crate::support::skip("guests have no users of their own");
    }
    let code = Code::new();
    let Some(mut spec) = code.python(
        r#"
import ctypes, os, signal, time
c = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
def count(take, most):
    return next((number for number in range(most) if take() < 0), most)
watches = count(c.inotify_init, 1000)
signals = count(lambda: c.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)), 1 << 20)
print(watches, signals, flush=True)
time.sleep(60)
"#,
    ) else {
        return;
    };
    (spec.open_files_max, spec.memory_bytes) = (1024, 512 << 20);
    let mut sandbox = crate::support::within(launcher.launch(spec)).await.unwrap();
    let (line, _output) = crate::support::read_line(sandbox.take_output()).await;
    let counts: Vec<u64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
    assert!(counts[0] > 0 && counts[0] < 1000 && counts[1] > 0 && counts[1] < 1 << 20, "{line}");
    let inotify = rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::empty());
    assert!(inotify.is_ok(), "the host's root has no watches left: {inotify:?}");
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let queued = status.lines().find_map(|line| line.strip_prefix("SigQ:")).unwrap().trim();
    let queued: u64 = queued.split('/').next().unwrap().parse().unwrap();
    assert!(queued < counts[1], "{queued} signals are counted for the host's root");
}

#[tokio::test]
async fn the_daemons_right_to_real_time_is_not_the_guests() {
    let Some(launcher) = launcher().await else { return };
    let said =
        shell(&launcher, &Code::new(), "grep -E 'realtime priority|nice priority' /proc/self/limits").await;
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[3..5], ["0", "0"], "{said}");
    }
    assert_eq!(said.lines().count(), 2, "{said}");
}
