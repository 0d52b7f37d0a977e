use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::Server;

/// The versions that tests talk through; both ship botocore 1.43.11, of which our models were condensed.
const PACKAGES: [&str; 2] = ["boto3==1.43.11", "awscli==1.45.11"];

/// A Python with boto3 and the aws CLI.
#[derive(Debug, Clone)]
pub struct Python {
    pub interpreter: PathBuf,
    pub aws: PathBuf,
}

/// The Python to test with: the host's if it has boto3 and the aws CLI, else a virtual environment of our own below
/// `target/`, made once. `None`, said loudly, when neither can be had.
pub fn python() -> Option<Python> {
    static FOUND: OnceLock<Option<Python>> = OnceLock::new();
    let found = FOUND.get_or_init(|| host().or_else(own)).clone();
    if found.is_none() {
        eprintln!("SKIPPED: no python3 with boto3 and awscli on this host, and none could be installed");
    }
    found
}

fn host() -> Option<Python> {
    let has_boto3 = Command::new("python3").args(["-c", "import boto3, awscli"]).output();
    if !has_boto3.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let found = Command::new("sh").args(["-c", "command -v python3; command -v aws"]).output().ok()?;
    let text = String::from_utf8(found.stdout).ok()?;
    let mut lines = text.lines().map(PathBuf::from);
    Some(Python { interpreter: lines.next()?, aws: lines.next()? })
}

fn own() -> Option<Python> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-python");
    let python = Python { interpreter: folder.join("bin/python3"), aws: folder.join("bin/aws") };
    // Several test processes may come here at once: only one makes it.
    let script = "set -e; exec 9>\"$1.lock\"; flock 9; [ -x \"$1/bin/aws\" ] || \
                  { python3 -m venv \"$1\" && \"$1/bin/pip\" install --quiet $2 $3; }";
    let made = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&folder)
        .args(PACKAGES)
        .status()
        .is_ok_and(|status| status.success());
    (made && python.aws.exists()).then_some(python)
}

/// The environment that AWS's tools need to talk to `endpoint` and to nobody else.
fn environment(command: &mut Command, endpoint: &str) {
    for (name, value) in [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_PAGER", ""),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ] {
        command.env(name, value);
    }
}

/// Runs the aws CLI and gives its JSON.
///
/// # Panics
/// When it fails, with what it said.
pub fn aws(python: &Python, endpoint: &str, arguments: &[&str]) -> serde_json::Value {
    let mut command = Command::new(&python.aws);
    environment(&mut command, endpoint);
    let output = command.args(arguments).args(["--output", "json"]).output().expect("the aws CLI starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "aws {}: {words}", arguments.join(" "));
    if output.stdout.trim_ascii().is_empty() {
        return serde_json::Value::Null;
    }
    serde_json::from_slice(&output.stdout).expect("the aws CLI writes JSON")
}

impl Python {
    /// Runs a script against `endpoint`.
    pub fn run(&self, script: &Path, endpoint: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.interpreter);
        environment(&mut command, endpoint);
        command.arg(script).args(arguments).output().expect("python starts")
    }

    /// Runs a script against a server; the script is told the server's data folder in `PITBIRD_DATA`.
    ///
    /// # Panics
    /// When it fails, with what it said.
    pub fn check(&self, server: &Server, script: &Path, arguments: &[&str]) {
        let mut command = Command::new(&self.interpreter);
        environment(&mut command, &server.endpoint);
        command.env("PITBIRD_DATA", &server.data_dir);
        let output = command.arg(script).args(arguments).output().expect("python starts");
        let words =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        eprintln!("{words}");
        assert!(output.status.success(), "{}: {words}", script.display());
    }

    /// A shell command in which `aws` and `python3` are these.
    pub fn shell(&self, endpoint: &str, script: &str, folder: &Path) -> Output {
        let mut command = Command::new("bash");
        environment(&mut command, endpoint);
        let bin = |path: &Path| path.parent().map(|parent| parent.display().to_string()).unwrap_or_default();
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{}:{path}", bin(&self.aws), bin(&self.interpreter)));
        command.current_dir(folder).args(["-euo", "pipefail", "-c", script]).output().expect("bash starts")
    }
}
