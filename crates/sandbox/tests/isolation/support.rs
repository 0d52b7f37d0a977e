//! Launchers, specifications and what a sandbox said, each with a deadline.

use std::future::Future;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pitbird_sandbox::{
    Companions, Config, Exit, Launcher, Level, Sandbox, SpawnerCommand, Spec, system_read_only,
};
use tempfile::TempDir;

/// No wait in these tests is longer.
pub const DEADLINE: Duration = Duration::from_secs(30);

pub async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("took longer than the deadline")
}

pub fn config() -> Config {
    let mut config = Config::new(SpawnerCommand::own_binary());
    config.spares = 0;
    config
}

pub async fn start(config: Config) -> Launcher {
    within(Launcher::start(config)).await.expect("a launcher starts")
}

/// A launcher with namespaces, or `None` with words on standard error.
pub async fn launcher() -> Option<Launcher> {
    let launcher = start(config()).await;
    if launcher.report().level < Level::NamespacesUser {
        skip(&format!("no namespaces: {}", launcher.report()));
        return None;
    }
    Some(launcher)
}

pub fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// A function's folder on the host, readable by all as unpacked code is.
pub struct Code {
    folder: TempDir,
}

impl Code {
    pub fn new() -> Code {
        let folder = tempfile::tempdir().expect("a temporary folder");
        open_to_all(folder.path());
        std::fs::create_dir(folder.path().join("code")).expect("a folder");
        std::fs::write(folder.path().join("code/own.txt"), "own\n").expect("a file");
        Code { folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("code")
    }

    /// Beside the code: what another function has.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn shell(&self, script: &str) -> Spec {
        self.spec("/bin/sh", &["-c", script])
    }

    /// Runs Debian's own Python. Where there is none, `None` with words.
    pub fn python(&self, script: &str) -> Option<Spec> {
        let found =
            ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter().find(|path| Path::new(path).exists());
        let Some(python) = found else {
            skip("no python3 under /usr");
            return None;
        };
        Some(self.spec(python, &["-I", "-c", script]))
    }

    pub fn spec(&self, program: &str, args: &[&str]) -> Spec {
        Spec {
            program: program.to_owned(),
            args: args.iter().map(|text| (*text).to_owned()).collect(),
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            working_dir: "/var/task".to_owned(),
            code: self.path(),
            layers: None,
            runtime: None,
            host_read_only: system_read_only(),
            memory_bytes: 128 << 20,
            tmp_bytes: 8 << 20,
            processes_max: 64,
            open_files_max: 64,
            companions: Companions::default(),
            connectors: 0,
        }
    }
}

pub fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("permissions");
}

/// Runs to the end: all it said and how it ended.
pub async fn run(launcher: &Launcher, spec: Spec) -> (String, Exit) {
    let mut sandbox = within(launcher.launch(spec)).await.expect("a sandbox");
    let said = read_all(sandbox.take_output()).await;
    let exit = within(sandbox.exited()).await;
    (said, exit)
}

/// Runs a shell script that is expected to succeed.
pub async fn shell(launcher: &Launcher, code: &Code, script: &str) -> String {
    let (said, exit) = run(launcher, code.shell(script)).await;
    assert_eq!(exit.code, Some(0), "{said}");
    said
}

/// Reads to the end, which is when the last process that could write is gone.
pub async fn read_all(output: OwnedFd) -> String {
    let reading = tokio::task::spawn_blocking(move || {
        let mut said = Vec::new();
        std::fs::File::from(output).read_to_end(&mut said).expect("readable");
        String::from_utf8_lossy(&said).into_owned()
    });
    within(reading).await.expect("read")
}

/// Reads one line; the rest can still be read.
pub async fn read_line(output: OwnedFd) -> (String, OwnedFd) {
    let reading = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::from(output);
        let mut line = Vec::new();
        let mut byte = [0];
        while file.read(&mut byte).expect("readable") == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        (String::from_utf8_lossy(&line).into_owned(), OwnedFd::from(file))
    });
    within(reading).await.expect("read")
}

/// A sandbox that has said "ready" and then does what follows in the script.
pub async fn ready(launcher: &Launcher, code: &Code, script: &str) -> (Sandbox, OwnedFd) {
    let mut sandbox =
        within(launcher.launch(code.shell(&format!("echo ready; {script}")))).await.expect("a sandbox");
    let (line, output) = read_line(sandbox.take_output()).await;
    assert_eq!(line, "ready");
    (sandbox, output)
}

/// Host processes that have this among their arguments.
pub fn processes_with(marker: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("proc").flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes
        .filter(|pid: &u32| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            arguments.split(|byte| *byte == 0).any(|argument| argument == marker.as_bytes())
        })
        .collect()
}

/// Directories of control groups that launchers of this process have.
pub fn groups_of(daemon: u32) -> Vec<PathBuf> {
    fn search(directory: &Path, depth: u32, name: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(name) {
                found.push(path);
            } else if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                search(&path, depth - 1, name, found);
            }
        }
    }
    let mut found = Vec::new();
    search(Path::new("/sys/fs/cgroup"), 5, &format!("pitbird-{daemon}-"), &mut found);
    found
}

/// Waits until something holds that no event tells of.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "{what}: not within the deadline");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Spawner processes that this process has started.
pub fn spawner_of(daemon: u32) -> Vec<u32> {
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
        after.split(' ').nth(1) == Some(&daemon.to_string())
    };
    let mut found = processes_with(pitbird_sandbox::SPAWNER_ARGUMENT);
    // Its copies, the sandboxes' first processes, have the same arguments and another parent.
    found.retain(is_child);
    found
}
