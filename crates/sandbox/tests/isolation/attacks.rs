//! What somebody would try who knows the kernel, beyond what the other files try: each attempt is seen to fail from inside.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Code, launcher, run, shell, skip, within};

/// `/proc` shows much of the machine to everybody; none of it may be written, and none of it tells of other processes.
#[tokio::test]
async fn nothing_of_the_hosts_is_set_by_proc() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) = code.python(
        r#"
import os
numbers = [name for name in os.listdir("/proc") if name.isdigit()]
def try_to_write(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        print("may be written:", path)
    except OSError: pass
for folder, folders, files in os.walk("/proc"):
    if folder == "/proc": folders[:] = [name for name in folders if not name.isdigit() and name not in ("self", "thread-self")]
    for name in files: try_to_write(os.path.join(folder, name))
for number in numbers:
    for name in ("oom_score_adj", "uid_map", "gid_map", "setgroups", "mem", "comm", "autogroup", "coredump_filter", "attr/current"):
        try_to_write(f"/proc/{number}/{name}") 
print(sorted(numbers), "done")
"#,
    ) else {
        return;
    };
    let (said, exit) = run(&launcher, spec).await;
    assert_eq!((said.as_str(), exit.code), ("['1', '2'] done\n", Some(0)));
}

/// Nothing that control groups, other file systems or terminals could be reached by.
#[tokio::test]
async fn there_is_no_sysfs_no_control_group_and_no_terminal() {
    let Some(launcher) = launcher().await else { return };
    let script = "for path in /sys/. /sys/fs/cgroup/. /dev/tty /dev/console /dev/ptmx /dev/pts/. /dev/mem /dev/kmsg /dev/fuse /dev/kvm \
                  /dev/net/tun /dev/vsock /dev/userfaultfd /dev/shm/. /dev/mqueue/. /run/. /var/run/docker.sock; do \
                  [ -e $path ] && echo there is $path; done; \
                  cat /proc/self/mountinfo | grep -cE ' (cgroup|cgroup2|sysfs|debugfs|tracefs|bpf|mqueue|devpts) '; \
                  tty; ps -o tty= 2>/dev/null | sort -u | head -1";
    let said = shell(&launcher, &Code::new(), script).await;
    assert!(said.starts_with("0\nnot a tty\n"), "{said}");
}

/// What a program gains by its file: a user, a group, capabilities. Here nothing.
#[tokio::test]
async fn a_files_own_rights_give_none() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let own = code.path().join("id");
    std::fs::copy("/usr/bin/id", &own).expect("a program of the host's");
    // On the host it would run as its owner, who is root where these tests are.
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o6755)).expect("permissions");
    let script = "/var/task/id -u; /var/task/id -g; cp /usr/bin/id /tmp/id; chmod 6755 /tmp/id; /tmp/id -u; \
                  for program in su mount passwd newgrp; do [ -u /usr/bin/$program ] && /usr/bin/$program --version >/dev/null 2>&1; done; \
                  grep -E '^(Groups|CapEff):' /proc/self/status";
    let said = shell(&launcher, &code, script).await;
    let groups = daemons_groups();
    assert_eq!(said, format!("993\n990\n993\nGroups:\t{groups} \nCapEff:\t0000000000000000\n"));
}

/// What the kernel says of the groups that a guest has beside its own: none where the daemon is root. Elsewhere they are the daemon's, of which
/// nobody may drop any (user_namespaces(7)), and all but its own have no number inside.
fn daemons_groups() -> String {
    if rustix::process::geteuid().is_root() {
        return String::new();
    }
    let own = rustix::process::getegid();
    let groups = rustix::process::getgroups().expect("groups");
    let inside = groups.iter().map(|group| if *group == own { "990" } else { "65534" });
    inside.collect::<Vec<_>>().join(" ")
}

/// A device in the guest's own directory would be the host's disk under another name.
#[tokio::test]
async fn files_that_are_no_files_lead_nowhere() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) = code.python(
        r#"
import os, stat
for kind, device in ((stat.S_IFBLK, (254, 0)), (stat.S_IFBLK, (8, 0)), (stat.S_IFCHR, (1, 1)), (stat.S_IFCHR, (10, 200)), (stat.S_IFCHR, (5, 1))):
    try:
        os.mknod("/tmp/device", kind | 0o666, os.makedev(*device))
        print("made", device)
    except PermissionError: pass
# A hard link to a file of the code's, a rename out of /tmp, and files that are named by what is open.
for attempt in (lambda: os.link("/var/task/own.txt", "/tmp/link"), lambda: os.link("/usr/bin/env", "/tmp/env"),
                lambda: os.link("/proc/self/exe", "/tmp/exe"), lambda: os.rename("/tmp", "/var/task/tmp"),
                lambda: open("/proc/self/fd/0", "w").truncate(0), lambda: os.symlink("/etc/shadow", "/var/task/own.txt")):
    try:
        attempt()
        print("done")
    except OSError: pass
# Programs that never were files run, and have nothing more for it.
program = os.memfd_create("program")
with open("/bin/cat", "rb") as file: os.sendfile(program, file.fileno(), 0, os.fstat(file.fileno()).st_size)
child = os.fork()
if child == 0: os.execve(program, ["cat", "/proc/self/status"], {})
_, status = os.waitpid(child, 0)
print(status)
"#,
    ) else {
        return;
    };
    let (said, exit) = run(&launcher, spec).await;
    assert!(said.ends_with("\n0\n") && said.contains("CapEff:\t0000000000000000"), "{said}");
    assert!(!said.contains("made") && !said.contains("done"), "{said}");
    assert!(said.contains("NoNewPrivs:\t1\n") && said.contains("Seccomp:\t2\n"), "{said}");
    assert_eq!(exit.code, Some(0));
}

/// Files of any length without content cost nothing, and their content costs what it would elsewhere.
#[tokio::test]
async fn huge_and_many_files_use_up_its_own_room_only() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(mut spec) = code.python(
        r#"
import errno, os
with open("/tmp/sparse", "wb") as file:
    file.truncate(1 << 40)
    file.seek(1 << 39)
    try:
        while True: file.write(bytes(1 << 20)); file.flush()
    except OSError as error: print(errno.errorcode[error.errno])
os.unlink("/tmp/sparse")
# Held open without a name they count as well.
held = []
try:
    while True:
        held.append(os.open("/tmp", os.O_TMPFILE | os.O_RDWR))
        os.write(held[-1], bytes(1 << 20))
except OSError as error: print(errno.errorcode[error.errno], len(held) < 64)
for one in held: os.close(one)
made = 0
try:
    while True:
        os.mkdir(f"/tmp/{made}"); made += 1
except OSError as error: print(errno.errorcode[error.errno], made < 4096)
"#,
    ) else {
        return;
    };
    (spec.tmp_bytes, spec.memory_bytes) = (8 << 20, 128 << 20);
    let (said, exit) = run(&launcher, spec).await;
    assert_eq!((said.as_str(), exit.code), ("ENOSPC\nENOSPC True\nENOSPC True\n", Some(0)));
    assert_eq!(shell(&launcher, &code, "echo x > /tmp/x; cat /tmp/x").await, "x\n");
}

/// The daemon's own variables, where operators keep secrets, are in none of the places where a guest could look.
#[test]
fn variables_of_the_daemons_stay_its_own() {
    let name = "a_guest_looks_for_variables";
    let program = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(program)
        .args(["--exact", &format!("attacks::{name}"), "--nocapture"])
        .env("PITBIRD_TEST_SECRET", "the-daemons-own")
        .output()
        .expect("it starts");
    let (said, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{words}");
    assert!(said.contains("PATH=/usr/bin:/bin") || words.contains("SKIPPED"), "{said}\n{words}");
    assert!(!said.contains("the-daemons-own"), "{said}");
}

/// Run by the test above with a secret among its variables.
#[tokio::test]
async fn a_guest_looks_for_variables() {
    let Some(launcher) = launcher().await else { return };
    let script = "env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; cat /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'";
    println!("{}", shell(&launcher, &Code::new(), script).await);
}

/// Each sandbox has message queues, shared memory and abstract sockets of its own, whatever their names and keys are.
#[tokio::test]
async fn two_sandboxes_share_no_names() {
    let Some(launcher) = launcher().await else { return };
    if !cfg!(target_arch = "x86_64") {
        return skip("the numbers of system calls are another machine's");
    }
    let code = Code::new();
    let make = r#"
import ctypes, os, socket, sys, time
c = ctypes.CDLL(None, use_errno=True)
def made():
    attributes = (ctypes.c_long * 8)(0, 4, 64)
    queue = c.mq_open(b"/pitbird", os.O_RDWR | CREATE, 0o666, attributes)
    shared = c.shmget(4711, 4096, FLAGS)
    messages = c.msgget(4711, FLAGS)
    semaphores = c.semget(4711, 1, FLAGS)
    return [number >= 0 for number in (queue, shared, messages, semaphores)]
s = socket.socket(socket.AF_UNIX)
"#;
    let first = make.replace("CREATE", "os.O_CREAT").replace("FLAGS", "0o1666")
        + "s.bind('\\0pitbird'); s.listen(); print(made(), flush=True); time.sleep(60)";
    let second = make.replace("CREATE", "0").replace("FLAGS", "0o666")
        + "print(made(), s.connect_ex('\\0pitbird') != 0)";
    let (Some(first), Some(second)) = (code.python(&first), code.python(&second)) else { return };
    let mut sandbox = within(launcher.launch(first)).await.expect("a sandbox");
    let (line, _output) = crate::support::read_line(sandbox.take_output()).await;
    assert!(line.matches("True").count() >= 3, "{line}");
    let (said, _) = run(&launcher, second).await;
    assert_eq!(said, "[False, False, False, False] True\n");
    sandbox.kill();
    within(sandbox.exited()).await;
}

/// The first process of its sandbox belongs to the same user, who may limit it like any other of its own. That ends nobody else.
#[tokio::test]
async fn who_strangles_the_first_process_ends_itself() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) = code.python(
        r#"
import os, resource
for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_STACK, resource.RLIMIT_AS, resource.RLIMIT_CPU):
    try: resource.prlimit(1, limit, (0, 0))
    except OSError: pass
os.sched_setaffinity(1, {0})
for _ in range(200):
    if os.fork() == 0: os._exit(0)
"#,
    ) else {
        return;
    };
    let (_, exit) = run(&launcher, spec).await;
    assert!(!exit.out_of_memory, "{exit:?}");
    assert_eq!(shell(&launcher, &code, "echo fine").await, "fine\n");
}
