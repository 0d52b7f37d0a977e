//! The whole system from outside, through AWS's own tools.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use pitbird_testkit::{Calls, Python, Server, done, get, python, send};
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name)
}

fn run(python: &Python, server: &Server, name: &str, arguments: &[&str]) {
    let output = python.run(&script(name), &server.endpoint, arguments);
    let words =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("{words}");
    assert!(output.status.success(), "{name}: {words}");
}

#[test]
fn a_fresh_server_is_healthy() {
    let server = Server::start(BINARY);
    for path in ["/_pitbird/health", "/_localstack/health"] {
        let answer = get(&format!("{}{path}", server.endpoint));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["services"]["lambda"], "running");
    }
}

/// A body over the limit is refused before it has come whole. To hang up then would reset the connection, and clients would see
/// that instead of the reason.
#[test]
fn who_sends_too_much_hears_why() {
    let server = Server::start(BINARY);
    let address = server.endpoint.trim_start_matches("http://");
    for (path, length, status) in
        [("/_aws/execute-api/none/prod/", 30 << 20, 403), ("/restapis", 80 << 20, 413)]
    {
        let mut connection = TcpStream::connect(address).expect("a connection");
        write!(connection, "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
            .expect("a head");
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..length >> 20 {
            connection.write_all(&piece).expect("the server reads on");
        }
        let mut line = String::new();
        BufReader::new(&connection).read_line(&mut line).expect("an answer");
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {line}");
    }
}

#[test]
fn canaries_and_weighted_aliases_split_as_configured() {
    let Some(python) = python() else { return };
    let server = Server::start(BINARY);
    run(&python, &server, "split.py", &["10000"]);
}

#[test]
fn slow_and_half_dead_releases_are_rolled_back_and_healthy_ones_promoted() {
    let Some(python) = python() else { return };
    let server = Server::start(BINARY);
    run(&python, &server, "rollouts.py", &[]);
}

/// The shell block below a page's mark `<!-- tested: NAME -->`.
fn block(page: &str, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let text = fs::read_to_string(path).expect(page);
    let (_, tested) = text.split_once(&format!("<!-- tested: {name} -->")).expect("the marked block");
    let block = tested.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    block.expect("a shell block").to_owned()
}

/// Runs a page's block against a server, with this binary as `pitbird`, and gives what it printed.
fn printed(python: &Python, server: &Server, block: &str, folder: &Path) -> String {
    let block = block.replace("http://127.0.0.1:4566", &server.endpoint);
    let binaries = Path::new(BINARY).parent().expect("the binary lies in a folder").display();
    let block = format!("export PATH='{binaries}':$PATH\n{block}");
    let output = python.shell(&server.endpoint, &block, folder);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words}{}", String::from_utf8_lossy(&output.stderr));
    words
}

/// The README's next steps work as written.
#[test]
fn the_readmes_next_steps_work() {
    let Some(python) = python() else { return };
    let server = Server::start(BINARY);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let steps = ["next-steps", "rollout"].map(|name| block("README.md", name)).concat();
    let words = printed(&python, &server, &steps, folder.path());
    assert!(words.contains("hello from v1") && words.contains("hello from v2"), "{words}");
    let counted = words.rsplit("\"Datapoints\"").next().unwrap_or_default();
    assert!(counted.contains("\"Sum\""), "the canary's requests are counted: {words}");
    assert!(words.contains("exit code 10\n"), "the faulty version is rolled back: {words}");
    assert!(words.ends_with("hello from v4\n"), "the good one is promoted: {words}");
}

/// What the page on metrics says works as written.
#[test]
fn the_page_on_metrics_works() {
    let Some(python) = python() else { return };
    let server = Server::start(BINARY);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let words = printed(&python, &server, &block("docs/metrics.md", "metrics"), folder.path());
    for expected in [
        "Shop       Orders  Kind=book",
        "1 datapoints, lowest 3, highest 3, newest 3",
        "kind  orders  money\nbook       1     12\n",
        "pitbird_build_info{version=",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    let picture = fs::read(folder.path().join("orders.png")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"), "{} bytes", picture.len());
}

/// What the page on usage says works as written, on an API that somebody has asked.
#[test]
fn the_page_on_usage_works() {
    let Some(python) = python() else { return };
    let server = Server::start(BINARY);
    let calls = Calls::new(&server.endpoint);
    let (api, _) = calls.mock_api("asked", 200);
    calls.deploy(&api, json!({"stageName": "prod"}));
    done(calls.fetch(&api, "prod", "/"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let words = printed(&python, &server, &block("docs/usage.md", "usage"), folder.path());
    for expected in ["2026-11 at prices of ", "\"Currency\": \"USD\"", "Total"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    let prices = fs::read_to_string(folder.path().join("prices.toml")).expect("the prices");
    assert!(prices.contains("us-east-1"), "{prices}");
    let words = printed(&python, &server, &block("docs/usage.md", "usage-operation"), folder.path());
    assert!(serde_json::from_str::<serde_json::Value>(&words).is_ok(), "one JSON document: {words}");
    let words = printed(&python, &server, &block("docs/usage.md", "usage-environments"), folder.path());
    let none: serde_json::Value = serde_json::from_str(&words).expect("one JSON document");
    assert_eq!(none["Environments"], json!([]), "{words}");
}

/// What an API key has used counts on after a restart.
#[test]
fn a_quota_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start_in(BINARY, folder.path());
    let calls = Calls::new(&server.endpoint);
    let (api, root) = calls.mock_api("metered", 200);
    let required = json!([{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]);
    let method = format!("/restapis/{api}/resources/{root}/methods/GET");
    done(calls.rest("PATCH", &method, json!({"patchOperations": required})));
    calls.deploy(&api, json!({"stageName": "prod"}));
    let value = "k".repeat(20);
    let key = done(calls.rest("POST", "/apikeys", json!({"name": "k", "value": value, "enabled": true})));
    let quota = json!({"limit": 2, "period": "MONTH"});
    let stages = json!([{"apiId": api, "stage": "prod"}]);
    let plan = json!({"name": "p", "apiStages": stages, "quota": quota});
    let plan = done(calls.rest("POST", "/usageplans", plan)).json();
    let keys = format!("/usageplans/{}/keys", plan["id"].as_str().expect("an id"));
    done(calls.rest("POST", &keys, json!({"keyId": key.json()["id"], "keyType": "API_KEY"})));
    let ask = |server: &Server| {
        let url = format!("{}/_aws/execute-api/{api}/prod/", server.endpoint);
        send("GET", &url, &[("x-api-key", &value)], b"").status
    };
    assert_eq!(ask(&server), 200);
    assert!(server.stop().success());
    let server = Server::start_in(BINARY, folder.path());
    assert_eq!([ask(&server), ask(&server)], [200, 429]);
}
