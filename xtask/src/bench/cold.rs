//! Cold starts: from an HTTP request to its response, with a sandbox made on the way.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pitbird_testkit::{Server, get};
use serde_json::json;

use super::platform::{
    api, call, create_function, deploy, permit, put_proxy, serve, serve_with, static_function,
    wait_until_settled,
};
use super::{Figure, quantile};

const ROUNDS: usize = 51;
/// Between two cold starts, for what is parked ahead of the next. One right after the other they would find nothing parked.
const PAUSE: Duration = Duration::from_millis(200);

const PYTHON: &[u8] =
    b"def handler(event, context):\n    return {\"statusCode\": 200, \"body\": \"hello\"}\n";
const NODE: &[u8] = b"exports.handler = async () => ({ statusCode: 200, body: \"hello\" });\n";

/// For the client that stands in for AWS's in the tests: it hands text on.
const JAVA: &str = r#"public class Hello {
    public String handle(String event) { return "{\"statusCode\":200,\"body\":\"hello\"}"; }
}"#;
const JAVA_CLIENT: &str = "com/amazonaws/services/lambda/runtime/api/client/AWSLambda";

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let rust = std::fs::read(static_function(root)?)?;
    let rust = ("provided.al2023", "bootstrap", "bootstrap", rust.as_slice());
    let python = ("python3.11", "app.handler", "app.py", PYTHON);
    let node = ("nodejs20.x", "app.handler", "app.js", NODE);
    let (fresh, parked) = (serve_with(root, &["--parked", "0"])?, serve(root));
    let mut figures = Vec::new();
    if let Some(classes) = java_classes(root)? {
        let files: Vec<(&str, &[u8])> =
            classes.iter().map(|(name, class)| (name.as_str(), class.as_slice())).collect();
        for (server, what, goal) in [
            (&fresh, "Java 17, nothing parked, a bare client in AWS's place", ""),
            (&parked, "Java 17, a bare client in AWS's place", "p50 ≤ 40 ms"),
        ] {
            create_function(server, "java17", "java17", "Hello::handle", &files)?;
            figures.push(figure(what, goal, &measure(server, "java17")?));
        }
    }
    for (server, what, goal, (runtime, handler, file, code)) in [
        (&fresh, "Rust, static", "p50 ≤ 4 ms, p99 ≤ 12 ms", rust),
        (&fresh, "Python, nothing parked", "p50 ≤ 25 ms", python),
        (&parked, "Python", "p50 ≤ 12 ms, p99 ≤ 30 ms", python),
        (&fresh, "Node, nothing parked", "p50 ≤ 50 ms", node),
        (&parked, "Node", "p50 ≤ 10 ms, p99 ≤ 30 ms", node),
    ] {
        let name = runtime.replace('.', "-");
        create_function(server, &name, runtime, handler, &[(file, code)])?;
        figures.push(figure(what, goal, &measure(server, &name)?));
    }
    Ok(figures)
}

fn figure(what: &str, goal: &'static str, ms: &[f64]) -> Figure {
    let measured = format!("p50 {:.1} ms, p99 {:.1} ms", quantile(ms, 0.5), quantile(ms, 0.99));
    let pause = PAUSE.as_millis();
    let what = format!("cold start, {what}, sandboxed, request to response, one each {pause} ms");
    Figure::new(what, goal, measured)
}

/// A file's name and content.
type File = (String, Vec<u8>);

/// A function in Java and its client, compiled. `None`, said loudly, without a JDK.
fn java_classes(root: &Path) -> Result<Option<Vec<File>>> {
    let folder = tempfile::tempdir()?;
    let hello = folder.path().join("Hello.java");
    std::fs::write(&hello, JAVA)?;
    let client = root.join("crates/server/tests/java/client").join(JAVA_CLIENT).with_extension("java");
    let mut javac = Command::new("javac");
    javac.args(["--release", "11", "-d"]).arg(folder.path()).args([&hello, &client]);
    let Ok(status) = javac.status() else {
        eprintln!("bench: cold starts of Java aren't measured without javac");
        return Ok(None);
    };
    ensure!(status.success(), "javac ended with {status}");
    let classes = ["Hello", JAVA_CLIENT].map(|class| {
        let name = format!("{class}.class");
        let content = std::fs::read(folder.path().join(&name)).with_context(|| name.clone())?;
        Ok((name, content))
    });
    classes.into_iter().collect::<Result<_>>().map(Some)
}

/// Every round makes the function new, so that its next request finds no environment.
fn measure(server: &Server, name: &str) -> Result<Vec<f64>> {
    let (id, resource) = api(server)?;
    put_proxy(server, &id, &resource, name)?;
    permit(server, name, None)?;
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    let mut ms = Vec::new();
    for round in 0..ROUNDS {
        let configuration = json!({ "Description": format!("round {round}") });
        call(server, "PUT", &format!("/2015-03-31/functions/{name}/configuration"), &configuration)?;
        wait_until_settled(server, name)?;
        std::thread::sleep(PAUSE);
        let began = Instant::now();
        let answer = get(&url);
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
    }
    Ok(ms)
}
