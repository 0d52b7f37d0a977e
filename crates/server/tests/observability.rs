//! What a collector gets.

use std::net::TcpListener;
use std::path::Path;

use pitbird_testkit::{Server, ServerOptions, Tool, packages, python};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// `serve` with these further arguments.
fn with(arguments: &[&str]) -> ServerOptions {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    ServerOptions { arguments, ..ServerOptions::default() }
}

#[test]
fn a_collector_gets_traces_metrics_and_logs() {
    let packages = packages(Tool::Pip, "otlp", &["opentelemetry-proto==1.38.0", "protobuf==6.33.0"]);
    let (Some(python), Some(packages)) = (python(), packages) else { return };
    // Nobody listens there until the script does.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port().to_string();
    let server = Server::start_with(BINARY, with(&["--otlp-endpoint", &format!("http://127.0.0.1:{port}")]));
    let server = server.expect("a server");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/otlp.py");
    let pid = server.pid().to_string();
    let arguments = [port.as_str(), pid.as_str(), packages.to_str().expect("a plain path")];
    let output = python.run(&script, &server.endpoint, &arguments);
    let words = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat();
    eprintln!("{words}");
    assert!(output.status.success(), "{words}");
}

#[test]
fn what_cant_be_exported_is_refused_at_the_start() {
    for (arguments, words) in [
        (&["--trace-sample", "0.5"][..], "--trace-sample"),
        (&["--otlp-endpoint", "collector:4317"], "--otlp-endpoint must be a URL"),
        (&["--otlp-endpoint", "http://127.0.0.1:4318", "--trace-sample", "1.5"], "no share"),
    ] {
        let ended = Server::start_with(BINARY, with(arguments)).map(|server| server.endpoint.clone());
        let ended = ended.expect_err("it can't be obeyed");
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}
