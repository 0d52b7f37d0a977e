//! Functions and clients that others wrote, as they are.

use std::path::{Path, PathBuf};
use std::process::Command;

use pitbird_testkit::{Calls, Server, Tool, packages, python, zipped};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// Runs a script with a folder of packages that its functions bring along.
fn check(script: &str, packages: Option<PathBuf>) {
    let (Some(python), Some(packages)) = (python(), packages) else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
    let packages = packages.to_str().expect("a path of text");
    python.check(&Server::start(BINARY), &script, &[packages]);
}

#[test]
fn prometheus_reads_what_was_counted() {
    check("prometheus.py", packages(Tool::Pip, "prometheus", &["prometheus-client==0.26.0"]));
}

#[test]
fn a_function_with_powertools_for_python_runs() {
    check("powertools.py", packages(Tool::Pip, "powertools", &["aws-lambda-powertools==3.37.0"]));
}

#[test]
fn an_express_application_runs() {
    check("express.py", packages(Tool::Npm, "express", &["express@5.3.0", "serverless-http@4.0.0"]));
}

/// Builds what is written on the official crates, in a workspace of its own. `None`, said loudly, when they can't be had.
fn official() -> Option<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/official");
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(&tests).env("CARGO_TARGET_DIR", &target).args(arguments);
        command.status().is_ok_and(|status| status.success())
    };
    if !cargo(&["fetch", "--locked", "--quiet"]) {
        eprintln!("SKIPPED: the official crates can't be fetched here");
        return None;
    }
    assert!(cargo(&["build", "--locked", "--quiet"]), "what is written on the official crates is built");
    Some(target.join("debug"))
}

#[test]
fn the_official_sdk_and_runtime_for_rust_work() {
    let Some(built) = official() else { return };
    let server = Server::start(BINARY);
    let role = Calls::new(&server.endpoint).role("official");
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("function.zip");
    let function = std::fs::read(built.join("function")).expect("it is built");
    std::fs::write(&package, zipped(&[("bootstrap", &function)])).expect("the folder is writable");
    let output = Command::new(built.join("client"))
        .arg(role)
        .arg(&package)
        .envs([
            ("AWS_ENDPOINT_URL", server.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
        ])
        .output()
        .expect("it starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
}
