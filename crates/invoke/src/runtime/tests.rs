use super::*;

fn search_path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect()
}

#[tokio::test]
async fn an_absent_interpreter_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::new(directory.path().to_owned(), vec![directory.path().to_owned()]);
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
    let runtimes = Runtimes::new(directory.path().join("files"), vec![directory.path().to_owned()]);
    let error = runtimes.find("python3.11").await.unwrap_err().to_string();
    assert!(error.contains("python3.11") && error.contains("broken"), "{error}");
}

#[tokio::test]
async fn the_hosts_interpreters_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let runtimes = Runtimes::new(directory.path().to_owned(), search_path());
    for report in runtimes.report().await {
        match report.found {
            Ok(Served::Bootstrap) => assert!(report.runtime.starts_with("provided")),
            Ok(Served::Interpreter { program, version, is_substitute }) => {
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
