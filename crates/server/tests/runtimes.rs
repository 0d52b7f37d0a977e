//! Programs that are chosen for runtimes on the command line: obeyed, told by `doctor`, or refused before anything is served.

use std::path::Path;
use std::process::Command;

use pitbird_testkit::{Ended, Server, ServerOptions, python};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// What `doctor` says of a runtime, and whether a server could run.
fn doctor(runtime: &str, arguments: &[&str]) -> (String, String, bool) {
    let arguments = ["doctor", "--output", "json", "--listen", "127.0.0.1:0"].iter().chain(arguments);
    let output = Command::new(BINARY).args(arguments).output().expect("it starts");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = told["Findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["About"] == runtime).expect("the runtime's finding");
    let text = |name: &str| finding[name].as_str().expect("a text").to_owned();
    assert_eq!(told["CanServe"], output.status.success(), "{told}");
    (text("State"), text("Finding"), output.status.success())
}

/// A Python of this host's and its version, as `doctor` found it for another runtime than `python3.14`.
fn program() -> Option<(String, String)> {
    let (state, words, _) = doctor("python3.11", &[]);
    let (program, rest) = words.split_once(" (").filter(|_| state == "ok")?;
    let (version, _) = rest.split_once(')').expect("its version");
    Some((program.to_owned(), version.to_owned()))
}

#[test]
fn a_runtime_is_served_by_the_program_that_was_chosen() {
    let (Some(python), Some((program, version))) = (python(), program()) else { return };
    let choice = format!("python3.14={program}");
    let (state, words, can_serve) = doctor("python3.14", &["--runtime", &choice]);
    assert!(state == "ok" && can_serve, "{words}");
    assert!(words.starts_with(&format!("{program} ({version}), as chosen")), "{words}");
    let arguments = vec!["--runtime".to_owned(), choice];
    let server = Server::start_with(BINARY, ServerOptions { arguments, ..ServerOptions::default() });
    let server = server.expect("it starts");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/chosen_runtime.py");
    python.check(&server, &script, &["python3.14", &version]);
}

#[test]
fn what_cannot_be_obeyed_is_refused_at_the_start() {
    for (choice, runtime, words) in [
        ("python3.99=/bin/sh", "python3.99", "there is no such runtime; there are python3.8, "),
        ("provided.al2023=/bin/sh", "provided.al2023", "whose functions bring their own"),
        (
            "python3.12=/nowhere/python",
            "python3.12",
            "/nowhere/python was chosen for runtime python3.12 and can't be used",
        ),
        (
            "nodejs22.x=/bin/false",
            "nodejs22.x",
            "/bin/false was chosen for runtime nodejs22.x and can't be used: exit status: 1",
        ),
        ("java21=/bin/true,java21=/bin/true", "java21", "two programs were chosen for java21"),
    ] {
        let arguments = vec!["--runtime".to_owned(), choice.to_owned()];
        let started = Server::start_with(BINARY, ServerOptions { arguments, ..ServerOptions::default() });
        let Err(Ended { status, stderr }) = started else { panic!("it starts with {choice}") };
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with("pitbird: ") && stderr.contains(words), "{stderr}");
        assert!(stderr.contains("hint: `pitbird doctor`"), "{stderr}");
        let (state, told, can_serve) = doctor(runtime, &["--runtime", choice]);
        assert!(state == "fails" && told.contains(words) && !can_serve, "{state} {told}");
    }
}
