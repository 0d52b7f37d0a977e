//! Runtimes that programs serve which somebody has chosen.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use pitbird_invoke::{ChosenRuntime, Served, check_chosen_runtimes, runtimes};
use pitbird_sandbox::Level;

use crate::bench::{Bench, Draft, bench, bench_of, draft, has, json};

/// The program that serves a runtime by itself; `None` if none does.
async fn program_of(bench: &Bench, runtime: &str) -> Option<PathBuf> {
    match bench.invoker.runtime(runtime).await {
        Ok(Served::Interpreter { program, .. }) => Some(program),
        _ => None,
    }
}

fn chosen(runtime: &str, program: PathBuf) -> ChosenRuntime {
    ChosenRuntime { runtime: runtime.to_owned(), program }
}

const PYTHON: &str = "
import sys, os
def handler(event, context):
    return {'version': '.'.join(map(str, sys.version_info[:3])), 'runtime': os.environ['AWS_EXECUTION_ENV']}
";

const NODE: &str = "
exports.handler = async () => ({version: process.versions.node, runtime: process.env.AWS_EXECUTION_ENV})
";

/// The name stays the runtime's, the program is the chosen one: python3.14 is what no version of this host's is.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_runs_by_the_program_that_was_chosen() {
    let plain = bench().await;
    for (from, to, file, code) in
        [("python3.11", "python3.14", "app.py", PYTHON), ("nodejs20.x", "nodejs24.x", "app.js", NODE)]
    {
        if !has(&plain, from).await {
            continue;
        }
        let program = program_of(&plain, from).await.unwrap();
        // By another path than its own: what is behind a link serves.
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("linked");
        std::os::unix::fs::symlink(&program, &link).unwrap();
        let choices = vec![chosen(to, link)];
        let cache = folder.path().join("files");
        check_chosen_runtimes(cache, &choices, &plain.launcher).await.unwrap();
        let bench = bench_of(choices).await;
        let Ok(Served::Interpreter { program: serving, version, is_chosen, .. }) =
            bench.invoker.runtime(to).await
        else {
            panic!("{to} is served");
        };
        assert!(serving == program && is_chosen, "{} serves {to}", serving.display());
        let files = vec![(file, code.to_owned(), 0o644)];
        let function = bench.create(draft_of(to, files)).await;
        let answer = json(&bench.invoke(&function, "{}").await);
        assert_eq!(answer, serde_json::json!({"version": version, "runtime": format!("AWS_Lambda_{to}")}));
        let told = bench.invoker.runtime(to).await.unwrap().to_string();
        assert!(told.contains(&format!("({version}), as chosen")), "{told}");
    }
}

fn draft_of(runtime: &'static str, files: Vec<(&'static str, String, u32)>) -> Draft {
    Draft { files, ..draft("f", runtime) }
}

/// A program that answers outside and doesn't start within a sandbox is found out before a function is.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_no_sandbox_can_start_is_refused() {
    let plain = bench().await;
    if !has(&plain, "nodejs20.x").await || plain.launcher.report().level < Level::NamespacesUser {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // It says that it lies where a sandbox has its own `/tmp`.
    let program = folder.path().join("node");
    std::fs::write(&program, format!("#!/bin/sh\necho v20.1.0; echo {}\n", program.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let choices = [chosen("nodejs20.x", program.clone())];
    let cache = folder.path().join("files");
    let error =
        check_chosen_runtimes(cache.clone(), &choices, &plain.launcher).await.unwrap_err().to_string();
    assert!(error.contains("nodejs20.x") && error.contains("doesn't start in a sandbox"), "{error}");
    let reports = runtimes(cache, Vec::new(), &choices, Some(&plain.launcher)).await.unwrap();
    let report = reports.iter().find(|report| report.runtime == "nodejs20.x").unwrap();
    assert!(report.is_chosen);
    assert!(report.found.as_ref().unwrap_err().to_string().contains("doesn't start in a sandbox"));
    // One that starts and fails says why.
    let program = folder.path().join("failing");
    std::fs::write(&program, "#!/bin/sh\necho v20.1.0; echo /bin/false\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let choices = [chosen("nodejs20.x", program)];
    let cache = folder.path().join("files");
    let error = check_chosen_runtimes(cache, &choices, &plain.launcher).await.unwrap_err().to_string();
    assert!(error.contains("exit status 1: it says nothing"), "{error}");
}
