//! Programs of the function's own.

use std::process::Command;

use crate::support::{Code, launcher, run, skip, within};
use pitbird_sandbox::Error;

/// Puts a static program into the code that prints what lies in the directories it is given. Built with the compiler that built
/// this; `None` with words where that cannot be done.
pub fn add_static_lister(code: &Code) -> Option<()> {
    const SOURCE: &str = r#"
        fn main() {
            for place in std::env::args().skip(1) {
                for entry in std::fs::read_dir(&place).into_iter().flatten().flatten() {
                    println!("{}", entry.path().display());
                }
            }
        }
    "#;
    std::fs::write(code.beside("lister.rs"), SOURCE).expect("a file");
    let built = Command::new("rustc")
        .args(["-C", "target-feature=+crt-static", "-C", "strip=symbols", "--edition=2024", "lister.rs"])
        .args(["-o", "code/bootstrap"])
        .current_dir(code.beside(""))
        .output();
    if !built.is_ok_and(|built| built.status.success()) {
        skip("no static program can be built here");
        return None;
    }
    Some(())
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    for (program, kind) in [
        ("/var/task/bootstrap", std::io::ErrorKind::NotFound),
        ("/var/task/own.txt", std::io::ErrorKind::PermissionDenied),
        ("/var/task", std::io::ErrorKind::PermissionDenied),
    ] {
        let error = within(launcher.launch(code.spec(program, &[]))).await.expect_err("no such program");
        match error {
            Error::Program { program: named, source } => {
                assert_eq!((named.as_str(), source.kind()), (program, kind))
            }
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_script_needs_its_interpreter() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    for (text, expected) in
        [("#!/bin/sh\necho from $0 in $PWD\n", None), ("#!/no/such\n", Some(libc::ENOENT))]
    {
        let path = code.path().join("bootstrap");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let launched = within(launcher.launch(code.spec("/var/task/bootstrap", &[]))).await;
        match (launched, expected) {
            (Ok(mut sandbox), None) => {
                let said = crate::support::read_all(sandbox.take_output()).await;
                assert_eq!(said, "from /var/task/bootstrap in /var/task\n");
            }
            (Err(Error::Program { source, .. }), Some(errno)) => {
                assert_eq!(source.raw_os_error(), Some(errno))
            }
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_missing_working_directory_is_named() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let mut spec = code.shell("true");
    spec.working_dir = "/var/task/nowhere".to_owned();
    let error = within(launcher.launch(spec)).await.expect_err("no such directory");
    assert!(matches!(error, Error::WorkingDirectory { directory, .. } if directory == "/var/task/nowhere"));
}

#[tokio::test]
async fn code_that_is_no_directory_is_refused() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    for path in [code.path().join("own.txt"), code.path().join("nowhere")] {
        let mut spec = code.shell("true");
        spec.code = path;
        let error = within(launcher.launch(spec)).await.expect_err("not a directory");
        assert!(matches!(error, Error::Step { step: pitbird_sandbox::Step::Code, .. }), "{error}");
    }
}

#[tokio::test]
async fn unusable_specifications_are_refused_by_name() {
    type Change = fn(&mut pitbird_sandbox::Spec);
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let cases: [(&str, Change); 11] = [
        ("program", |spec| spec.program = "bootstrap".to_owned()),
        ("working directory", |spec| spec.working_dir = "task".to_owned()),
        ("NUL", |spec| spec.args.push("a\0b".to_owned())),
        ("environment variable", |spec| spec.env.push(("A=B".to_owned(), String::new()))),
        ("longer than", |spec| spec.args.push("x".repeat(1 << 20))),
        ("memory", |spec| spec.memory_bytes = 1000),
        ("/tmp", |spec| spec.tmp_bytes = 0),
        ("process", |spec| spec.processes_max = 0),
        ("host path /", |spec| spec.host_read_only = vec!["/".into()]),
        ("host path /proc", |spec| spec.host_read_only = vec!["/proc/self".into()]),
        ("host path /var", |spec| spec.host_read_only = vec!["/var".into()]),
    ];
    for (words, change) in cases {
        let mut spec = code.shell("true");
        change(&mut spec);
        let error = within(launcher.launch(spec)).await.expect_err(words);
        assert!(matches!(&error, Error::Spec(text) if text.contains(words)), "{words}: {error}");
    }
    assert_eq!(run(&launcher, code.shell("echo still here")).await.0, "still here\n");
}
