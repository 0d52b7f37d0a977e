//! What is still kept where the host has no namespaces, and that the rest is said.

use pitbird_sandbox::{Config, Error, Launcher, Level, Spec};

use crate::support::{
    Code, config, processes_with, read_all, read_line, ready, run, skip, start, until, within,
};

fn at(level: Level) -> Config {
    let mut config = config();
    config.strongest_level = level;
    config
}

/// A launcher at exactly this level, or `None` with words.
async fn launcher(level: Level) -> Option<Launcher> {
    let launcher = start(at(level)).await;
    if launcher.report().level != level {
        skip(&format!("level {level} cannot be had: {}", launcher.report()));
        return None;
    }
    Some(launcher)
}

const BOTH: [Level; 2] = [Level::Landlock, Level::Process];

#[tokio::test]
async fn the_report_says_what_is_missing() {
    for level in BOTH {
        let Some(launcher) = launcher(level).await else { continue };
        let report = launcher.report();
        assert!(!report.user_namespace);
        assert!(report.missing.iter().any(|missing| missing.what.starts_with("namespaces")), "{report}");
        let words = report.to_string();
        assert!(words.starts_with(level.as_str()) && words.contains("(configured so)"), "{words}");
    }
}

#[tokio::test]
async fn a_minimum_level_is_kept() {
    let mut config = at(Level::Process);
    config.minimum_level = Level::Landlock;
    match within(Launcher::start(config)).await.expect_err("too weak") {
        Error::TooWeak { wanted, found } => {
            assert_eq!((wanted, found.level), (Level::Landlock, Level::Process))
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn fixed_places_stand_for_the_hosts() {
    for level in BOTH {
        let Some(launcher) = launcher(level).await else { continue };
        let code = Code::new();
        let mut spec = code.shell(
            "cat own.txt $LAMBDA_TASK_ROOT/own.txt /var/task/own.txt 2>/dev/null; echo in > $TMPDIR/file; cat $TMPDIR/file; \
             case $LIST in /usr:*:/x) echo list;; esac; touch new 2>/dev/null && echo written; echo $AWS_LAMBDA_RUNTIME_API >&2",
        );
        spec.env.push(("LAMBDA_TASK_ROOT".to_owned(), "/var/task".to_owned()));
        spec.env.push(("LIST".to_owned(), "/usr:/var/task/lib:/x".to_owned()));
        let mut sandbox = within(launcher.launch(spec)).await.unwrap();
        let said = read_all(sandbox.take_output()).await;
        let address = sandbox.runtime_api();
        let expected_if_readable_only = format!("own\nown\nin\nlist\n{address}\n");
        // At the weakest level and without a user of its own, the guest may write where the daemon may.
        let may_write = level == Level::Process && !rustix::process::geteuid().is_root();
        if !may_write {
            assert_eq!(said, expected_if_readable_only, "{level}");
        }
        assert_eq!(address, sandbox.take_listener().local_addr().unwrap());
    }
}

#[tokio::test]
async fn landlock_hides_files_ports_and_signals() {
    let Some(launcher) = launcher(Level::Landlock).await else { return };
    let host = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = host.local_addr().unwrap().port();
    let code = Code::new();
    std::fs::write(code.beside("secret"), "secret").unwrap();
    let script = format!(
        r#"
import os, socket
for path in ("/etc/passwd", "/etc/hostname", "/proc/self/status", "/tmp", "/", "{beside}", "/var/log"):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("open:", path)
    except OSError: pass
try:
    s = socket.create_connection(("127.0.0.1", {port}), 2); print("reached the host")
except OSError: pass
for name, attempt in (("datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)), ("bound", lambda: socket.socket().bind(("127.0.0.1", 0))),
                      ("signalled", lambda: os.kill({daemon}, 0)), ("written", lambda: open(os.environ["LAMBDA_TASK_ROOT"] + "/x", "w"))):
    try:
        attempt(); print(name)
    except OSError: pass
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
socket.create_connection((host, int(port)), 5)
print("done")
"#,
        beside = code.beside("secret").display(),
        daemon = std::process::id(),
    );
    let Some(mut spec) = code.python(&script) else { return };
    spec.env.push(("LAMBDA_TASK_ROOT".to_owned(), "/var/task".to_owned()));
    let (mut said, exit) = run(&launcher, spec).await;
    // What an older kernel cannot do is in the report.
    let lacks = |what: &str| launcher.report().missing.iter().any(|missing| missing.what.starts_with(what));
    if lacks("ports") {
        said = said.replacen("reached the host\n", "", 1).replacen("bound\n", "", 1);
    }
    if lacks("signals") {
        said = said.replacen("signalled\n", "", 1);
    }
    assert_eq!((said.as_str(), exit.code), ("done\n", Some(0)));
}

#[tokio::test]
async fn no_capabilities_at_any_level() {
    let script =
        "grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t\\n'; id -u";
    let Some(launcher) = launcher(Level::Process).await else { return };
    let (said, _) = run(&launcher, Code::new().shell(script)).await;
    assert!(said.contains("CapEff:0000000000000000") && said.contains("CapPrm:0000000000000000"), "{said}");
    assert!(said.contains("NoNewPrivs:1") && said.contains("Seccomp:2"), "{said}");
    assert!(!said.ends_with(":20\n") && !said.trim_end().ends_with("Seccomp:20"), "still root: {said}");
}

#[tokio::test]
async fn the_whole_tree_is_killed() {
    for level in BOTH {
        let Some(launcher) = launcher(level).await else { continue };
        let code = Code::new();
        let marker = format!("62.{}", std::process::id());
        let script =
            format!("trap '' TERM; for i in 1 2 3; do (setsid sleep {marker} &); done; exec sleep {marker}");
        let (sandbox, output) = ready(&launcher, &code, &script).await;
        until("daemons run", || processes_with(&marker).len() == 4).await;
        sandbox.kill();
        assert_eq!(within(sandbox.exited()).await.signal, Some(9), "{level}");
        assert_eq!(processes_with(&marker), Vec::<u32>::new(), "{level}");
        assert_eq!(read_all(output).await, "");

        // The program's own end takes its daemons along too.
        let (said, exit) =
            run(&launcher, code.shell(&format!("(setsid sleep {marker} &); echo end; exit 4"))).await;
        assert_eq!((said.as_str(), exit.code), ("end\n", Some(4)));
        assert_eq!(processes_with(&marker), Vec::<u32>::new(), "{level}");
    }
}

#[tokio::test]
async fn private_directories_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::open_to_all(folder.path());
    let mut config = at(Level::Process);
    config.state_directory = folder.path().join("state");
    let launcher = start(config).await;
    let code = Code::new();
    let (said, exit) =
        run(&launcher, code.shell("echo x > $TMPDIR/x; mkdir $TMPDIR/y; cat /tmp/x 2>/dev/null; ls $TMPDIR"))
            .await;
    assert_eq!((said.as_str(), exit.code), ("x\ny\n", Some(0)));
    within(launcher.shutdown()).await;
    assert!(!folder.path().join("state").exists());
}

#[tokio::test]
async fn abandoned_private_directories_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::open_to_all(folder.path());
    let mut config = at(Level::Process);
    config.state_directory = folder.path().join("state");
    let first = start(config.clone()).await;
    std::fs::create_dir_all(config.state_directory.join("pitbird-1-left/7")).unwrap();
    std::fs::write(config.state_directory.join("unrelated"), "").unwrap();
    let second = start(config.clone()).await;
    let mut left: Vec<String> = std::fs::read_dir(&config.state_directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.retain(|name| !name.starts_with(&format!("pitbird-{}-", std::process::id())));
    assert_eq!(left, ["unrelated"]);
    assert_eq!(run(&first, Code::new().shell("echo x > $TMPDIR/x && cat $TMPDIR/x")).await.0, "x\n");
    within(second.shutdown()).await;
    within(first.shutdown()).await;
}

#[tokio::test]
async fn a_state_directory_of_somebody_else_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut config = at(Level::Process);
    config.state_directory = folder.path().join("state");
    std::fs::create_dir(&config.state_directory).unwrap();
    std::fs::set_permissions(&config.state_directory, std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = within(Launcher::start(config)).await.expect_err("anybody can write there");
    assert!(matches!(error, Error::Spawner(_)), "{error}");
}

/// Root, but without the right to make namespaces, as in most containers.
#[tokio::test]
async fn root_without_rights_falls_back_and_says_why() {
    if !rustix::process::geteuid().is_root() || !std::path::Path::new("/usr/bin/setpriv").exists() {
        return skip("needs root and setpriv");
    }
    let output = std::process::Command::new("/usr/bin/setpriv")
        .args(["--bounding-set=-sys_admin", "--inh-caps=-sys_admin"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "unprivileged::what_this_user_gets", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    if !said.contains("level: landlock") && !said.contains("level: process") {
        return skip(&format!("setpriv took nothing away: {said}"));
    }
    assert!(said.contains("namespaces: own processes") && said.contains("CAP_SYS_ADMIN"), "{said}");
}

#[tokio::test]
async fn code_that_the_guests_user_cannot_reach_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    if !rustix::process::geteuid().is_root() {
        return skip("the guest has the daemon's user");
    }
    let Some(launcher) = launcher(Level::Landlock).await else { return };
    let code = Code::new();
    std::fs::set_permissions(code.path().parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let spec: Spec = code.shell("true");
    let error = within(launcher.launch(spec)).await.expect_err("not reachable");
    assert!(matches!(error, Error::Step { step: pitbird_sandbox::Step::Code, .. }), "{error}");
}

#[tokio::test]
async fn memory_is_watched_where_nothing_limits_it() {
    for level in BOTH {
        let Some(launcher) = launcher(level).await else { continue };
        let code = Code::new();
        let Some(mut spec) = code.python("b = bytearray(200 << 20)\nimport time; time.sleep(60)") else {
            return;
        };
        spec.memory_bytes = 64 << 20;
        let (_, exit) = run(&launcher, spec).await;
        assert!(exit.out_of_memory && exit.signal == Some(9), "{level}: {exit:?}");
    }
}

#[tokio::test]
async fn companions_run_beside_the_program_here_too() {
    use std::os::unix::fs::PermissionsExt as _;
    for level in BOTH {
        let Some(launcher) = launcher(level).await else { continue };
        let code = Code::new();
        let path = code.path().join("companion");
        std::fs::write(&path, "#!/bin/sh\necho companion; exec sleep 60\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut spec = code.shell("echo program; exec sleep 60");
        spec.companions.programs.push("/var/task/companion".to_owned());
        spec.connectors = 1;
        let mut sandbox = within(launcher.launch(spec)).await.unwrap();
        assert!(sandbox.take_connectors().is_empty(), "the network is the host's");
        let (line, _output) = read_line(sandbox.take_companions_output().unwrap()).await;
        assert_eq!(line, "companion");
        sandbox.start_program();
        let (line, _output) = read_line(sandbox.take_output()).await;
        assert_eq!(line, "program");
        sandbox.terminate_program();
        let end = within(sandbox.program_ended(0)).await;
        assert_eq!((end.program, end.how.unwrap().signal), (0, Some(15)));
        sandbox.kill();
        within(sandbox.exited()).await;
    }
}
