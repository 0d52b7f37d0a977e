//! Functions in Go: compiled here, static and linked with the C library, with a Runtime API loop like that of Go's clients. The official
//! client itself can't be had without Go's module proxy.

use std::path::{Path, PathBuf};
use std::process::Command;

use pitbird_invoke::{Answer, Piece};
use serde_json::json;

use crate::bench::{Bench, Draft, bench, draft, invocation, json, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linking {
    Static,
    WithC,
}

const BOTH: [Linking; 2] = [Linking::Static, Linking::WithC];

/// The compiled function, or `None` with words where it can't be compiled.
async fn function(linking: Linking) -> Option<Draft> {
    let compile = move || compile(linking);
    match tokio::task::spawn_blocking(compile).await.unwrap() {
        Ok(program) => Some(Draft { program: Some(program), ..draft("go", "provided.al2023") }),
        Err(why) => {
            eprintln!("SKIPPED: {linking:?}: {why}");
            None
        }
    }
}

fn compile(linking: Linking) -> Result<Vec<u8>, String> {
    let is_there = |program| Command::new(program).arg("--version").output().is_ok();
    if linking == Linking::WithC && !is_there("gcc") {
        return Err("no gcc on this host".to_owned());
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/functions/go");
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bootstrap");
    let output = Command::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(sources)
        // Compiled once for all tests, and nothing is fetched.
        .env("GOCACHE", cache())
        .env("GOFLAGS", "-mod=readonly")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", if linking == Linking::WithC { "1" } else { "0" })
        .output()
        .map_err(|error| format!("no go on this host ({error})"))?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let program = std::fs::read(program).unwrap();
    let needs_c = program.windows(9).any(|bytes| bytes == b"libc.so.6");
    assert_eq!(needs_c, linking == Linking::WithC, "it is linked as was asked for");
    Ok(program)
}

/// Beside the test binaries.
fn cache() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("go-cache")
}

async fn ask(bench: &Bench, event: serde_json::Value) -> pitbird_invoke::Outcome {
    bench.invoke(&bench.function("go"), &event.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_from_one_process_with_many_threads() {
    for linking in BOTH {
        let Some(draft) = function(linking).await else { continue };
        let bench = bench().await;
        bench.create(draft).await;
        let how = json(&ask(&bench, json!({})).await);
        assert_eq!(how["how"], if linking == Linking::WithC { "linked" } else { "static" });
        assert!(how["deadline"].as_str().unwrap().parse::<i64>().unwrap() > 0, "{how}");
        // 32 threads, a quarter of a MiB each, and the collector.
        let sum = json(&ask(&bench, json!({"do": "spin", "count": 32})).await);
        assert_eq!(sum["sum"], (0..32).sum::<i32>(), "{linking:?}");
        assert_eq!(*bench.invoker.environments().borrow(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_passed_on_and_a_panic_ends_the_process() {
    for linking in BOTH {
        let Some(draft) = function(linking).await else { continue };
        let bench = bench().await;
        bench.create(draft).await;
        let error = ask(&bench, json!({"do": "error"})).await;
        assert_eq!(error.function_error, Some("Unhandled"));
        assert_eq!(
            (&json(&error)["errorType"], &json(&error)["errorMessage"]),
            (&"errorString".into(), &"as asked".into())
        );
        let panic = ask(&bench, json!({"do": "panic"})).await;
        let said = json(&panic);
        assert_eq!((&said["errorType"], &said["errorMessage"]), (&"string".into(), &"as asked".into()));
        assert!(said["stackTrace"][0].as_str().unwrap().contains("main.serve"), "{said}");
        // Its next invocation finds a new process.
        let again = ask(&bench, json!({})).await;
        assert_eq!(again.function_error, None, "{}", text(&again));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_chunks_is_streamed() {
    for linking in BOTH {
        let Some(draft) = function(linking).await else { continue };
        let bench = bench().await;
        let function = bench.create(draft).await;
        let call = bench.invoker.invoke_streaming(&function, None, 0.0, invocation(r#"{"do":"stream"}"#));
        let Answer::Pieces(mut pieces) = call.await.unwrap() else { panic!("in one piece") };
        let mut said = Vec::new();
        let outcome = loop {
            match std::future::poll_fn(|context| pieces.poll_next(context)).await.unwrap() {
                Piece::Data(data) => said.extend_from_slice(&data),
                Piece::End(outcome) => break outcome,
            }
        };
        assert_eq!((said.as_slice(), outcome.function_error), (&b"one two"[..], None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_what_a_function_may_and_no_more() {
    for linking in BOTH {
        let Some(draft) = function(linking).await else { continue };
        let bench = bench().await;
        if bench.launcher.report().level < pitbird_sandbox::Level::NamespacesUser {
            return eprintln!("SKIPPED: no namespaces: {}", bench.launcher.report());
        }
        bench.create(draft).await;
        let worked = json(&ask(&bench, json!({"do": "escape"})).await);
        assert_eq!(worked, json!(["writes to /tmp"]), "{linking:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goroutines_that_never_yield_end_on_time() {
    for linking in BOTH {
        let Some(mut draft) = function(linking).await else { continue };
        draft.timeout_s = 1;
        let bench = bench().await;
        bench.create(draft).await;
        let outcome = ask(&bench, json!({"do": "hang"})).await;
        assert_eq!(outcome.error_type.as_deref(), Some("Sandbox.Timedout"));
        assert_eq!(ask(&bench, json!({})).await.function_error, None, "the next is served");
    }
}
