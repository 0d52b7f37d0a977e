use super::*;

fn search_path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect()
}

#[tokio::test]
async fn an_absent_interpreter_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let runtimes =
        Runtimes::new(directory.path().to_owned(), vec![directory.path().to_owned()], &[]).unwrap();
    for (runtime, wanted) in [("python3.12", "python3.12"), ("nodejs20.x", "Node 20"), ("java21", "Java 21")]
    {
        let error = runtimes.find(runtime).await.unwrap_err().to_string();
        assert!(error.contains(runtime) && error.contains(wanted), "{error}");
    }
    let error = runtimes.find("ruby3.3").await.unwrap_err();
    assert!(matches!(&*error, RuntimeError::Unsupported(name) if name == "ruby3.3"));
    assert_eq!(runtimes.find("provided.al2023").await.unwrap().served(), Served::Bootstrap);
}

#[tokio::test]
async fn a_program_that_is_none_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("python3.11");
    std::fs::write(&program, "#!/bin/sh\necho broken >&2\nexit 3\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let runtimes =
        Runtimes::new(directory.path().join("files"), vec![directory.path().to_owned()], &[]).unwrap();
    let error = runtimes.find("python3.11").await.unwrap_err().to_string();
    assert!(error.contains("python3.11") && error.contains("broken"), "{error}");
}

#[tokio::test]
async fn the_hosts_interpreters_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::new(directory.path().to_owned(), search_path(), &[]).unwrap();
    for report in runtimes.report().await {
        match report.found {
            Ok(Served::Bootstrap) => assert!(report.runtime.starts_with("provided")),
            Ok(Served::Interpreter { program, version, is_substitute, is_chosen }) => {
                assert!(!is_chosen);
                assert!(program.is_absolute() && program.is_file(), "{}", program.display());
                let wanted = report.runtime.trim_start_matches(char::is_alphabetic);
                let wanted = wanted.trim_end_matches(".x").trim_end_matches(".al2");
                let version = version.trim_start_matches("1.").to_owned();
                let is_exact =
                    version.strip_prefix(wanted).is_some_and(|rest| !rest.starts_with(char::is_numeric));
                assert_eq!(is_exact, !is_substitute, "{} is served by {version}", report.runtime);
            }
            Err(error) => eprintln!("SKIPPED: {error}"),
        }
    }
}

#[test]
fn runtimes_have_versions_and_arns() {
    let arn = runtime_version_arn(&Region::default(), "python3.11");
    assert!(arn.starts_with("arn:aws:lambda:us-east-1::runtime:"));
    assert_eq!(arn.len(), "arn:aws:lambda:us-east-1::runtime:".len() + 64);
}

fn choice(runtime: &str, program: impl Into<PathBuf>) -> ChosenRuntime {
    ChosenRuntime { runtime: runtime.to_owned(), program: program.into() }
}

#[test]
fn a_choice_that_makes_no_sense_is_refused() {
    for (choices, words) in [
        (
            vec![choice("python3.99", "/bin/sh")],
            "for python3.99, and there is no such runtime; there are python3.8, ",
        ),
        (vec![choice("ruby3.3", "/bin/sh")], "no such runtime"),
        (vec![choice("provided.al2023", "/bin/sh")], "provided.al2023, whose functions bring their own"),
        (
            vec![choice("java21", "/a"), choice("java17", "/a"), choice("java21", "/b")],
            "two programs were chosen for java21",
        ),
    ] {
        let error = Runtimes::new(PathBuf::new(), Vec::new(), &choices).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// A program that isn't what it was chosen for is told, and nothing is looked for in its place.
#[tokio::test]
async fn what_was_chosen_serves_or_nothing_does() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let program = |name: &str, text: &str, mode: u32| {
        std::fs::write(at(name), text).unwrap();
        std::fs::set_permissions(at(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    program("plain", "#!/bin/sh\n", 0o644);
    program("broken", "#!/bin/sh\necho broken >&2\nexit 3\n", 0o755);
    program("silent", "#!/bin/sh\n", 0o755);
    program("old", "#!/bin/sh\necho v14.21.3; echo /usr/bin/env\n", 0o755);
    for (runtime, name, words) in [
        ("python3.11", "missing", "No such file"),
        ("python3.11", "", "it is no file"),
        ("python3.11", "plain", "it is not executable"),
        ("python3.11", "broken", "broken"),
        ("python3.11", "silent", "it says"),
        ("nodejs20.x", "old", "it is 14.21.3, and it takes a Node from 16 on"),
        ("nodejs20.x", "silent", "it says"),
        ("java21", "silent", "it does not say its version"),
    ] {
        let choices = [choice(runtime, at(name))];
        let runtimes = Runtimes::new(at("files"), search_path(), &choices).unwrap();
        let error = runtimes.find(runtime).await.unwrap_err().to_string();
        let path = at(name).display().to_string();
        assert!(
            error.contains(words) && error.contains(runtime) && error.contains(&path),
            "{words}: {error}"
        );
    }
    let relative = Runtimes::new(at("files"), search_path(), &[choice("java21", "java")]).unwrap();
    let error = relative.find("java21").await.unwrap_err().to_string();
    assert!(error.contains("doesn't begin at /"), "{error}");
}

#[test]
fn versions_that_our_halves_do_not_run_on_are_refused() {
    for (family, version, is_enough) in [
        (Family::Python(12), "3.8.18", true),
        (Family::Python(12), "3.7.17", false),
        (Family::Python(12), "2.7.18", false),
        (Family::Python(12), "4.9.0", false),
        (Family::Node(20), "16.0.0", true),
        (Family::Node(20), "15.14.0", false),
        (Family::Java(21), "1.8.0_412", true),
        (Family::Java(21), "1.7.0_80", false),
        (Family::Java(21), "25.0.3", true),
        (Family::Node(20), "nonsense", false),
    ] {
        let interpreter = Interpreter {
            program: PathBuf::new(),
            version: version.to_owned(),
            is_substitute: true,
            needs: Vec::new(),
        };
        assert_eq!(chosen::check_version(family, &interpreter).is_ok(), is_enough, "{family:?} {version}");
    }
}
