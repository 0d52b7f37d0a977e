//! The server under test, and an API to ask it for.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pitbird_testkit::{Answer, Process, Server, ServerOptions, send, wait_for};
use serde_json::{Value, json};

use super::{Figure, median};

/// The body that the mock and nginx answer with.
pub const BODY: &str = r#"{"message":"hello","filler":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;

pub fn binary(root: &Path) -> PathBuf {
    root.join("target/release/pitbird")
}

pub fn bench_binary(root: &Path, name: &str) -> PathBuf {
    root.join("target/bench/release").join(name)
}

/// The hello function without shared libraries.
pub fn static_function(root: &Path) -> Result<PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = root.join("target/bench/static");
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "--package", "bench-function", "--target", &target])
        .current_dir(root.join("bench"))
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status()?;
    ensure!(status.success(), "a static bench-function can't be built");
    Ok(folder.join(target).join("release/bench-function"))
}

pub fn serve(root: &Path) -> Server {
    Server::start(&binary(root).display().to_string())
}

/// A server with more arguments.
pub fn serve_with(root: &Path, arguments: &[&str]) -> Result<Server> {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let options = ServerOptions { arguments, ..ServerOptions::default() };
    Server::start_with(&binary(root).display().to_string(), options)
        .map_err(|ended| anyhow::anyhow!("no server: {ended:?}"))
}

/// How fast it is ready, and what it weighs.
pub fn start(root: &Path) -> Result<Vec<Figure>> {
    let mut ready_ms = Vec::new();
    let mut resident_mb = 0.0;
    for _ in 0..11 {
        let began = Instant::now();
        let server = serve(root);
        ready_ms.push(began.elapsed().as_secs_f64() * 1000.0);
        resident_mb = resident_bytes(server.pid())? / 1e6;
    }
    let size = std::fs::metadata(binary(root))?.len() as f64 / 1e6;
    Ok(vec![
        Figure::new("serve ready, median", "≤ 50 ms", format!("{:.0} ms", median(&ready_ms))),
        Figure::new("idle memory", "≤ 25 MB RSS", format!("{resident_mb:.1} MB")),
        Figure::new("release binary", "≤ 30 MB", format!("{size:.1} MB")),
    ])
}

/// The processes of each environment, by their pid namespace. Where there is only a first one it was made ahead, and waits for a function.
pub fn environments(server: &Server) -> BTreeMap<PathBuf, Vec<Process>> {
    let mut found: BTreeMap<PathBuf, Vec<Process>> = BTreeMap::new();
    for process in server.family() {
        if let Ok(namespace) = std::fs::read_link(format!("/proc/{}/ns/pid", process.pid)) {
            found.entry(namespace).or_default().push(process);
        }
    }
    found.retain(|_, processes| processes.len() > 1);
    found
}

/// Memory of a process that is resident, shared pages in full.
pub fn resident_bytes(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0)
}

/// CPU time that a process and its waited-for children have used, seconds.
pub fn cpu_s(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(") ").next().context("stat")?.split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
    // Linux has counted in hundredths of a second on every architecture for decades.
    Ok(ticks / 100.0)
}

/// Calls an operation by its path, unsigned as loopback allows.
pub fn call(server: &Server, method: &str, path: &str, body: &Value) -> Result<Value> {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    let answer: Answer = send(method, &format!("{}{path}", server.endpoint), &headers, &body);
    ensure!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
    Ok(serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

/// A REST API with one `GET /`; gives its id and the root's.
pub fn api(server: &Server) -> Result<(String, String)> {
    let api = call(server, "POST", "/restapis", &json!({ "name": "bench" }))?;
    let id = api["id"].as_str().context("an API has an id")?.to_owned();
    let root = api["rootResourceId"].as_str().context("an API has a root")?.to_owned();
    let method = format!("/restapis/{id}/resources/{root}/methods/GET");
    call(server, "PUT", &method, &json!({ "authorizationType": "NONE" }))?;
    Ok((id, root))
}

pub fn put_mock(server: &Server, api: &str, root: &str) -> Result<()> {
    let method = format!("/restapis/{api}/resources/{root}/methods/GET");
    call(server, "PUT", &format!("{method}/responses/200"), &json!({}))?;
    let templates = json!({ "application/json": "{\"statusCode\": 200}" });
    call(
        server,
        "PUT",
        &format!("{method}/integration"),
        &json!({ "type": "MOCK", "requestTemplates": templates }),
    )?;
    let response = json!({ "responseTemplates": { "application/json": BODY } });
    call(server, "PUT", &format!("{method}/integration/responses/200"), &response)?;
    Ok(())
}

/// Points `GET /` at a function, as `name` or `name:qualifier`.
pub fn put_proxy(server: &Server, api: &str, root: &str, function: &str) -> Result<()> {
    let uri = format!(
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
         arn:aws:lambda:us-east-1:000000000000:function:{function}/invocations"
    );
    let integration = json!({ "type": "AWS_PROXY", "httpMethod": "POST", "uri": uri });
    call(server, "PUT", &format!("/restapis/{api}/resources/{root}/methods/GET/integration"), &integration)?;
    Ok(())
}

pub fn deploy(server: &Server, api: &str, deployment: &Value) -> Result<Value> {
    call(server, "POST", &format!("/restapis/{api}/deployments"), deployment)
}

/// A role that a service may assume; its ARN.
pub fn create_role(server: &Server, name: &str, service: &str) -> Result<String> {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": format!("{service}.amazonaws.com") }, "Action": "sts:AssumeRole",
    }] });
    let form = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={}",
        encoded(&trust.to_string())
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = send("POST", &server.endpoint, &headers, form.as_bytes());
    ensure!(answer.status < 300, "CreateRole: {}", answer.text());
    Ok(format!("arn:aws:iam::000000000000:role/{name}"))
}

/// Creates a function and waits until it is active.
pub fn create_function(
    server: &Server,
    name: &str,
    runtime: &str,
    handler: &str,
    files: &[(&str, &[u8])],
) -> Result<()> {
    let role = create_role(server, name, "lambda")?;
    let function = json!({
        "FunctionName": name, "Runtime": runtime, "Handler": handler, "Timeout": 30, "MemorySize": 256,
        "Role": role, "Code": { "ZipFile": base64(&zipped(files)?) },
    });
    call(server, "POST", "/2015-03-31/functions", &function)?;
    wait_until_settled(server, name)
}

/// Waits until the function is active and its last update is through.
pub fn wait_until_settled(server: &Server, name: &str) -> Result<()> {
    let path = format!("/2015-03-31/functions/{name}/configuration");
    wait_for("the function to settle", Duration::from_secs(30), || {
        let configuration = call(server, "GET", &path, &Value::Null).ok()?;
        (configuration["State"] == "Active" && configuration["LastUpdateStatus"] != "InProgress")
            .then_some(())
    });
    Ok(())
}

/// Lets API Gateway invoke a function, or one qualifier of it.
pub fn permit(server: &Server, name: &str, qualifier: Option<&str>) -> Result<()> {
    let permission = json!({ "StatementId": "api", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com" });
    let query = qualifier.map_or(String::new(), |qualifier| format!("?Qualifier={qualifier}"));
    call(server, "POST", &format!("/2015-03-31/functions/{name}/policy{query}"), &permission)?;
    Ok(())
}

pub fn zipped(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file(*name, options)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
