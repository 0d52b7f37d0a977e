//! Botocore's protocol test vectors, from the client's side as they are meant and turned round for a server.
//!
//! An input vector says which request a client makes of parameters: our client must make it, and our server must read
//! the parameters out of it. An output vector says what a client reads out of an answer: our client must, and our server
//! must write such an answer. What is known not to pass stands in `vectors/exceptions.json` with its reason; one that
//! passes must not stand there.

mod compare;
mod run;

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What must pass at least.
const SHARE_MIN: f64 = 0.97;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// One case with all that it needs.
pub struct Case {
    /// `input rest-json AllQueryStringTypes/0`
    pub name: String,
    pub suite: Json,
    pub case: Json,
}

fn cases(direction: &str) -> Vec<Case> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder().join(direction)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let protocol = file.file_stem().unwrap().to_string_lossy().into_owned();
        let suites: Vec<Json> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for suite in suites {
            for case in suite["cases"].as_array().unwrap() {
                let name = format!("{direction} {protocol} {}", case["id"].as_str().unwrap());
                cases.push(Case { name, suite: suite.clone(), case: case.clone() });
            }
        }
    }
    cases
}

/// Whether the vector says that a body is compressed, but not which; a server has nothing to read there.
fn is_bodiless(case: &Case) -> bool {
    let serialized = &case.case["serialized"];
    serialized["headers"]["Content-Encoding"].as_str().is_some_and(|it| it.ends_with("gzip"))
        && serialized.get("body").is_none()
}

/// Runs both sides of all cases and compares what fails with the list of exceptions.
#[test]
fn the_vectors_pass_but_for_the_listed_exceptions() {
    let text = std::fs::read(folder().join("exceptions.json")).unwrap();
    let exceptions: BTreeMap<String, String> = serde_json::from_slice(&text).unwrap();
    let mut failures: BTreeMap<String, String> = BTreeMap::new();
    let mut count = 0;
    for (direction, sides) in [
        (
            "input",
            [
                ("server", run::server_reads as fn(&Case) -> Result<(), String>),
                ("client", run::client_writes),
            ],
        ),
        ("output", [("server", run::server_writes), ("client", run::client_reads)]),
    ] {
        for case in cases(direction) {
            for (side, run) in sides {
                if side == "server" && is_bodiless(&case) {
                    continue;
                }
                count += 1;
                if let Err(words) = run(&case) {
                    failures.insert(format!("{} {side}", case.name), words);
                }
            }
        }
    }
    let surprises: Vec<String> = failures
        .iter()
        .filter(|(name, _)| !exceptions.contains_key(*name))
        .map(|(name, words)| format!("{name}: {words}"))
        .collect();
    let idle: Vec<&String> = exceptions.keys().filter(|name| !failures.contains_key(*name)).collect();
    assert!(surprises.is_empty(), "{} of {count} fail:\n{}", surprises.len(), surprises.join("\n"));
    assert!(idle.is_empty(), "these pass and are no exceptions: {idle:?}");
    let share = 1.0 - failures.len() as f64 / count as f64;
    assert!(share >= SHARE_MIN, "only {share:.3} of {count} pass");
}
