//! Functions in Java. AWS's runtime interface client comes from Maven and isn't here: a class of its name stands in for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use pitbird_testkit::{Server, python};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn run(program: &str, arguments: &[&str], directory: &Path) {
    let output = Command::new(program).args(arguments).current_dir(directory).output().expect("it starts");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The classes, compiled. `None`, said loudly, without a JDK.
fn compiled() -> Option<tempfile::TempDir> {
    if !Command::new("javac").arg("-version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no javac on this host");
        return None;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sources = tests().join("java");
    for (part, file) in [
        ("client", "com/amazonaws/services/lambda/runtime/api/client/AWSLambda.java"),
        ("function", "sample/App.java"),
    ] {
        let file = sources.join(part).join(file);
        run("javac", &["--release", "11", "-d", part, file.to_str().expect("text")], folder.path());
    }
    let whole = ["--create", "--file", "whole.jar", "-C", "client", ".", "-C", "function", "."];
    run("jar", &whole, folder.path());
    Some(folder)
}

#[test]
fn functions_in_java_run_with_the_client_that_they_bring() {
    let (Some(python), Some(folder)) = (python(), compiled()) else { return };
    let folder = folder.path().to_str().expect("a path of text");
    python.check(&Server::start(BINARY), &tests().join("python/java.py"), &[folder]);
}

/// What waits for functions is kept compiled, since hosts need no compiler.
#[test]
fn what_waits_is_compiled_from_its_source() {
    let Ok(version) = Command::new("javac").arg("-version").output() else {
        return eprintln!("SKIPPED: no javac on this host");
    };
    if !String::from_utf8_lossy(&version.stdout).starts_with("javac 17.") {
        return eprintln!("SKIPPED: another javac than the one that it was compiled with, 17");
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../invoke/runtimes/java/pitbird");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = sources.join("Launcher.java");
    let source = source.to_str().expect("text");
    let options = ["-source", "11", "-target", "11", "-g:none", "-nowarn", "-d", ".", source];
    run("javac", &options, folder.path());
    let class = |directory: &Path| std::fs::read(directory.join("Launcher.class")).expect("a class");
    assert!(class(&sources) == class(&folder.path().join("pitbird")), "compile it again: {options:?}");
}

#[test]
fn the_doctor_says_which_java_serves_which_runtime() {
    if !Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success()) {
        return eprintln!("SKIPPED: no java on this host");
    }
    let output = Command::new(BINARY).arg("doctor").output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    for runtime in ["java8.al2", "java11", "java17", "java21", "java25"] {
        let said = text.lines().find(|line| line.contains(&format!(" {runtime} "))).expect(runtime);
        assert!(said.starts_with("ok") && said.contains("/bin/java ("), "{said}");
    }
}
