//! Measures cold and warm invocations through the door alone: no HTTP front end, no gateway.
//!
//! `speed [COLD [WARM [CALLERS]]]`: so many cold starts per runtime, so many warm invocations, from so many callers at
//! once. The custom runtime's function is this very binary, which asks the Runtime API over a plain socket.

#![allow(clippy::print_stdout, reason = "its figures are what it is for")]

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use pitbird_invoke::{Config, EventPolicy, Invocation, Invoker, Limits};
use pitbird_names::{Scope, VersionId};
use pitbird_records::function::{Code, FunctionVersion, LastUpdate, Logging, Settings, State, WholeFunction};
use pitbird_sandbox::{Launcher, SpawnerCommand};
use pitbird_snapshot::{Function, FunctionKey};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;
use zip::write::{SimpleFileOptions, ZipWriter};

const PYTHON: &str = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n";
const NODE: &str = "exports.handler = async () => ({ statusCode: 200, body: 'hello' });\n";

fn main() {
    pitbird_sandbox::spawner_if_asked();
    if let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") {
        return be_a_function(&api);
    }
    let numbers: Vec<usize> = std::env::args().skip(1).map(|text| text.parse().expect("a number")).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (cold, warm, callers) = (number(0, 20), number(1, 20_000), number(2, 1));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(cold, warm, callers));
}

async fn measure(cold: usize, warm: usize, callers: usize) {
    let data = tempfile::tempdir().expect("a directory");
    let launcher = pitbird_sandbox::Config::new(SpawnerCommand::own_binary());
    let launcher = Launcher::start(launcher).await.expect("a launcher");
    eprintln!("{}", launcher.report());
    let store = Store::open(&data.path().join("store")).expect("a store");
    let config = pitbird_telemetry::Config::default();
    let telemetry = Telemetry::open(&data.path().join("telemetry"), &config).expect("telemetry");
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    let door = Invoker::start(Config {
        launcher,
        telemetry,
        tracer: Default::default(),
        store: store.clone(),
        cache_directory: data.path().join("cache"),
        search_path: std::env::split_paths(&search_path).collect(),
        chosen_runtimes: Vec::new(),
        aws: None,
        endpoint_url: None,
        reach: None,
        limits: Limits::default(),
        events: EventPolicy::default(),
    })
    .expect("a door");
    let own = std::fs::read("/proc/self/exe").expect("this binary");
    for (runtime, file, content) in [
        ("provided.al2023", "bootstrap", &own[..]),
        ("python3.11", "app.py", PYTHON.as_bytes()),
        ("nodejs20.x", "app.js", NODE.as_bytes()),
    ] {
        measure_runtime(&door, &store, Kind { runtime, file, content }, cold, warm, callers).await;
    }
    door.shutdown().await;
}

/// A function to measure.
struct Kind<'a> {
    runtime: &'a str,
    file: &'a str,
    content: &'a [u8],
}

async fn measure_runtime(
    door: &Invoker,
    store: &Store,
    kind: Kind<'_>,
    cold: usize,
    warm: usize,
    callers: usize,
) {
    let Kind { runtime, file, content } = kind;
    if let Err(error) = door.runtime(runtime).await {
        println!("{runtime}: skipped, {error}");
        return;
    }
    let mut cold_ms = Vec::new();
    for number in 0..cold {
        let function = create(store, &format!("cold{number}"), runtime, file, content).await;
        let version = &function.versions[&VersionId::Latest];
        door.prepare(version).await.expect("what it needs");
        let began = Instant::now();
        call(door, &function).await;
        cold_ms.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    println!("{runtime}: cold {}", percentiles(&mut cold_ms, "ms"));
    let function = create(store, "warm", runtime, file, content).await;
    call(door, &function).await;
    let began = Instant::now();
    let each = warm / callers;
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (door, function) = (door.clone(), function.clone());
            tokio::spawn(async move {
                let mut took_us = Vec::with_capacity(each);
                for _ in 0..each {
                    let began = Instant::now();
                    call(&door, &function).await;
                    took_us.push(began.elapsed().as_secs_f64() * 1e6);
                }
                took_us
            })
        })
        .collect();
    let mut took_us = Vec::new();
    for task in tasks {
        took_us.extend(task.await.expect("no caller panics"));
    }
    let rate = took_us.len() as f64 / began.elapsed().as_secs_f64();
    let environments = *door.environments().borrow();
    println!("{runtime}: warm {}, {rate:.0}/s, {environments} environments", percentiles(&mut took_us, "us"));
}

async fn create(store: &Store, name: &str, runtime: &str, file: &str, content: &[u8]) -> Arc<Function> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(file, SimpleFileOptions::default().unix_permissions(0o755)).expect("an entry");
    writer.write_all(content).expect("memory");
    let zip = writer.finish().expect("a zip").into_inner();
    let size_bytes = zip.len() as u64;
    let sha256_hex = store.put_blob(zip.into()).await.expect("a blob");
    let name = name.to_owned();
    let record = FunctionVersion {
        scope: Scope::default(),
        name: name.clone(),
        version: VersionId::Latest,
        settings: Settings {
            runtime: runtime.to_owned(),
            handler: Some("app.handler".to_owned()),
            role: "r".to_owned(),
            description: String::new(),
            timeout_s: 10,
            memory_mib: 256,
            tmp_mib: 512,
            environment: None,
            architecture: "x86_64".to_owned(),
            logging: Logging {
                group: format!("/aws/lambda/{name}"),
                format: "Text".to_owned(),
                application_level: None,
                system_level: None,
            },
            tracing_mode: "PassThrough".to_owned(),
            layers: Vec::new(),
        },
        code: Code { sha256_hex, size_bytes, unpacked_bytes: 0 },
        revision_id: "r".to_owned(),
        modified_ms: 0,
        state: State::Active,
        last_update: LastUpdate::Successful,
        function: Some(WholeFunction::default()),
    };
    let write = move |transaction: &mut pitbird_store::Transaction<'_>| transaction.put(&record);
    store.write::<_, pitbird_store::Error>(write).await.expect("a commit");
    let key = FunctionKey { scope: Scope::default(), name };
    store.snapshot().function(&key).expect("it is there").clone()
}

async fn call(door: &Invoker, function: &Function) {
    let invocation = Invocation {
        request_id: "8476a536-e9f4-41e8-9739-2dfe598c3fcd".to_owned(),
        payload: r#"{"path":"/hello","httpMethod":"GET"}"#.into(),
        at_ms: 1_763_900_000_000,
        ..Invocation::default()
    };
    let outcome = door.invoke(function, None, 0.0, invocation).await.expect("it runs");
    assert_eq!(outcome.function_error, None, "{:?}", outcome.payload);
}

fn percentiles(values: &mut [f64], unit: &str) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
    format!("p50 {:.2} {unit}, p99 {:.2} {unit}, min {:.2} {unit}", at(0.5), at(0.99), at(0.0))
}

/// The least that a function can do: one connection, the answer and the next question in one write.
fn be_a_function(api: &str) {
    let mut connection = TcpStream::connect(api).expect("the Runtime API");
    connection.set_nodelay(true).expect("a TCP connection");
    let next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: x\r\n\r\n";
    let body = r#"{"statusCode":200,"body":"hello"}"#;
    connection.write_all(next.as_bytes()).expect("the connection");
    let mut buffer = [0; 65536];
    let mut length = 0;
    loop {
        length += connection.read(&mut buffer[length..]).expect("the connection");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        // Both the thanks for the last answer and the event may be there, or either.
        let Some((_, event)) = text.split_once("lambda-runtime-aws-request-id: ") else { continue };
        let Some(end) = event.find("\r\n\r\n") else { continue };
        let size = event[..end].split_once("content-length: ").expect("a length").1;
        let size: usize = size.split('\r').next().expect("a line").parse().expect("a number");
        if event.len() < end + 4 + size {
            continue;
        }
        let id = &event[..36];
        let answer = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}{next}",
            body.len()
        );
        connection.write_all(answer.as_bytes()).expect("the connection");
        length = 0;
    }
}
