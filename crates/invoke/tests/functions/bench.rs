//! A door, and functions behind it.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use pitbird_invoke::{
    ChosenRuntime, Config, CpuShare, EventPolicy, Invocation, Invoker, Limits, Outcome, Refused,
};
use pitbird_names::{Qualifier, Scope, VersionId, Weight};
use pitbird_records::alias::Additional;
use pitbird_records::function::{
    Code, FunctionVersion, LastUpdate, LayerUse, Logging, Settings, State, WholeFunction,
};
use pitbird_records::{Alias, Texts};
use pitbird_sandbox::{Launcher, SpawnerCommand};
use pitbird_snapshot::{Function, FunctionKey};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::logs::{GetQuery, ReadFrom, StreamOrder, StreamQuery};
use zip::write::{SimpleFileOptions, ZipWriter};

/// The beginning of a custom runtime in Bash: `call METHOD PATH BODY` leaves the answer in `$reply`, `next` the event in
/// `$event` and its id in `$id`.
pub const BASH: &str = r#"#!/bin/bash
trap '' PIPE
host=${AWS_LAMBDA_RUNTIME_API%:*} port=${AWS_LAMBDA_RUNTIME_API#*:}
call() {
    exec 3<>"/dev/tcp/$host/$port"
    printf '%s /2018-06-01%s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s' "$1" "$2" "${#3}" "$3" >&3
    reply=$(cat <&3)
    exec 3>&-
}
next() {
    call GET /runtime/invocation/next ''
    head=${reply%%$'\r\n\r\n'*} event=${reply#*$'\r\n\r\n'}
    id=${head#*lambda-runtime-aws-request-id: } id=${id%%$'\r'*}
}
respond() { call POST "/runtime/invocation/$id/response" "$1"; }
"#;

pub struct Bench {
    pub invoker: Invoker,
    pub telemetry: Arc<Telemetry>,
    pub store: Store,
    pub launcher: Launcher,
    /// Removed when the bench is dropped.
    pub data: Option<tempfile::TempDir>,
}

/// Opens a door with bounds of one's own.
pub async fn bench_with(limits: Limits, events: EventPolicy) -> Bench {
    let data = tempfile::tempdir().unwrap();
    open(data, limits, events).await
}

pub async fn bench() -> Bench {
    bench_with(Limits::default(), EventPolicy::default()).await
}

/// Opens a door behind which there is never more than one environment, whoever waits.
pub async fn narrow_bench() -> Bench {
    bench_with(Limits { environments_max: 1, ..Limits::default() }, EventPolicy::default()).await
}

/// Opens a door on data that may be there already.
pub async fn open(data: tempfile::TempDir, limits: Limits, events: EventPolicy) -> Bench {
    let bench = open_path(data.path(), limits, events).await;
    Bench { data: Some(data), ..bench }
}

/// Opens a door on data that is somebody else's.
pub async fn open_path(data: &Path, limits: Limits, events: EventPolicy) -> Bench {
    open_with(data, limits, events, Vec::new()).await
}

/// Opens a door behind which these programs serve their runtimes.
pub async fn bench_of(chosen_runtimes: Vec<ChosenRuntime>) -> Bench {
    let data = tempfile::tempdir().unwrap();
    let bench = open_with(data.path(), Limits::default(), EventPolicy::default(), chosen_runtimes).await;
    Bench { data: Some(data), ..bench }
}

async fn open_with(
    data: &Path,
    limits: Limits,
    events: EventPolicy,
    chosen_runtimes: Vec<ChosenRuntime>,
) -> Bench {
    let mut sandboxes = pitbird_sandbox::Config::new(SpawnerCommand::own_binary());
    sandboxes.spares = 0;
    sandboxes.cpu_shares = limits.cpu_share == CpuShare::ByMemory;
    let launcher = Launcher::start(sandboxes).await.unwrap();
    let store = Store::open(&data.join("data")).unwrap();
    let telemetry_config = pitbird_telemetry::Config::default();
    let telemetry = Telemetry::open(&data.join("telemetry"), &telemetry_config).unwrap();
    let config = Config {
        launcher: launcher.clone(),
        telemetry: telemetry.clone(),
        tracer: Default::default(),
        store: store.clone(),
        cache_directory: data.join("cache"),
        search_path: search_path(),
        chosen_runtimes,
        aws: None,
        endpoint_url: None,
        reach: None,
        limits,
        events,
    };
    Bench { invoker: Invoker::start(config).unwrap(), telemetry, store, launcher, data: None }
}

fn search_path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect()
}

/// A function that is to be.
#[derive(Clone)]
pub struct Draft {
    pub name: &'static str,
    pub version: VersionId,
    pub runtime: &'static str,
    pub handler: &'static str,
    pub files: Vec<(&'static str, String, u32)>,
    /// A compiled bootstrap.
    pub program: Option<Vec<u8>>,
    pub timeout_s: u32,
    pub memory_mib: u32,
    pub tmp_mib: u32,
    pub environment: Option<Texts>,
    pub reserved: Option<u32>,
    pub allows_loops: bool,
    pub group: Option<&'static str>,
    /// Logs in JSON, with the least levels of the platform's lines and of the function's own.
    pub json_levels: Option<(&'static str, &'static str)>,
    /// Files of each layer, in the layers' order.
    pub layers: Vec<Vec<(&'static str, String, u32)>>,
}

pub fn draft(name: &'static str, runtime: &'static str) -> Draft {
    Draft {
        name,
        version: VersionId::Latest,
        runtime,
        handler: "app.handler",
        files: Vec::new(),
        program: None,
        timeout_s: 20,
        memory_mib: 256,
        tmp_mib: 64,
        environment: None,
        reserved: None,
        allows_loops: false,
        group: None,
        json_levels: None,
        layers: Vec::new(),
    }
}

/// A Python function from the text of its module.
pub fn python(name: &'static str, code: &str) -> Draft {
    Draft { files: vec![("app.py", code.to_owned(), 0o644)], ..draft(name, "python3.11") }
}

/// A Node function from the text of its CommonJS module.
pub fn node(name: &'static str, code: &str) -> Draft {
    Draft { files: vec![("app.js", code.to_owned(), 0o644)], ..draft(name, "nodejs20.x") }
}

/// A custom runtime from what its Bash script does after [`BASH`].
pub fn bash(name: &'static str, code: &str) -> Draft {
    Draft { files: vec![("bootstrap", format!("{BASH}{code}"), 0o755)], ..draft(name, "provided.al2023") }
}

/// A custom runtime that answers each event by what the body of a loop does; `$id` and `$event` are set.
pub fn bash_loop(name: &'static str, body: &str) -> Draft {
    bash(name, &format!("while next; do\n{body}\ndone\n"))
}

impl Bench {
    /// Stores a version and answers its function as the data plane sees it.
    pub async fn create(&self, draft: Draft) -> Arc<Function> {
        let code = match &draft.program {
            Some(program) => self.code_of(zip_of([("bootstrap", program.as_slice(), 0o755)])).await,
            None => self.code_of(zip(&draft.files)).await,
        };
        let mut layers = Vec::new();
        for files in &draft.layers {
            layers.push(LayerUse { arn: String::new(), code: self.code_of(zip(files)).await });
        }
        let name = draft.name;
        let group = draft.group.map_or_else(|| format!("/aws/lambda/{name}"), str::to_owned);
        let whole = WholeFunction {
            reserved_concurrency: draft.reserved,
            allows_loops: draft.allows_loops,
            ..WholeFunction::default()
        };
        let record = FunctionVersion {
            scope: Scope::default(),
            name: name.to_owned(),
            version: draft.version,
            settings: Settings {
                runtime: draft.runtime.to_owned(),
                handler: Some(draft.handler.to_owned()),
                role: "arn:aws:iam::000000000000:role/r".to_owned(),
                description: String::new(),
                timeout_s: draft.timeout_s,
                memory_mib: draft.memory_mib,
                tmp_mib: draft.tmp_mib,
                environment: draft.environment,
                architecture: "x86_64".to_owned(),
                logging: Logging {
                    group,
                    format: if draft.json_levels.is_some() { "JSON" } else { "Text" }.to_owned(),
                    application_level: draft.json_levels.map(|(_, level)| level.to_owned()),
                    system_level: draft.json_levels.map(|(level, _)| level.to_owned()),
                },
                tracing_mode: "PassThrough".to_owned(),
                layers,
            },
            code,
            revision_id: "r".to_owned(),
            modified_ms: 0,
            state: State::Active,
            last_update: LastUpdate::Successful,
            function: (draft.version == VersionId::Latest).then_some(whole),
        };
        self.put(record).await;
        self.function(name)
    }

    async fn code_of(&self, zip: Bytes) -> Code {
        let size_bytes = zip.len() as u64;
        Code { sha256_hex: self.store.put_blob(zip).await.unwrap(), size_bytes, unpacked_bytes: 0 }
    }

    /// Stores an alias that gives `weight` of its invocations to version 2 and the rest to version 1.
    pub async fn alias(&self, function: &str, name: &str, weight: f64) -> Arc<Function> {
        let weight = Weight::new(weight).unwrap();
        self.put(Alias {
            scope: Scope::default(),
            function: function.to_owned(),
            name: name.to_owned(),
            version: VersionId::Number(1),
            description: String::new(),
            revision_id: "r".to_owned(),
            additional: Some(Additional { version: VersionId::Number(2), weight }),
        })
        .await;
        self.function(function)
    }

    pub async fn put<R: pitbird_records::Record>(&self, record: R) {
        let write = move |transaction: &mut pitbird_store::Transaction<'_>| transaction.put(&record);
        self.store.write::<_, pitbird_store::Error>(write).await.unwrap();
    }

    pub fn function(&self, name: &str) -> Arc<Function> {
        let key = FunctionKey { scope: Scope::default(), name: name.to_owned() };
        self.store.snapshot().function(&key).unwrap().clone()
    }

    pub async fn invoke(&self, function: &Function, payload: &str) -> Outcome {
        self.try_invoke(function, None, 0.0, payload).await.unwrap()
    }

    pub async fn try_invoke(
        &self,
        function: &Function,
        qualifier: Option<&Qualifier>,
        draw: f64,
        payload: &str,
    ) -> Result<Outcome, Refused> {
        let call = self.invoker.invoke(function, qualifier, draw, invocation(payload));
        tokio::time::timeout(Duration::from_secs(60), call).await.expect("an answer within a minute")
    }

    /// The messages of a function's log streams, stream by stream, each in its order.
    pub async fn logs(&self, group: &str) -> Vec<(String, Vec<String>)> {
        let query = StreamQuery {
            scope: Scope::default(),
            group: group.to_owned(),
            prefix: None,
            order: StreamOrder::Name,
            descending: false,
            limit: 50,
            token: None,
        };
        let mut all = Vec::new();
        for stream in self.telemetry.streams(query).await.unwrap().streams {
            let query = GetQuery {
                scope: Scope::default(),
                group: group.to_owned(),
                stream: stream.name.clone(),
                start_ms: None,
                end_ms: None,
                limit: 10_000,
                from: ReadFrom::Head,
            };
            let events = self.telemetry.events(query).await.unwrap().events;
            all.push((stream.name, events.into_iter().map(|event| event.message).collect()));
        }
        all
    }

    /// Waits until the log streams of a function together are as they should be.
    pub async fn until_log(&self, function: &str, mut is_so: impl FnMut(&[String]) -> bool) {
        let wait = async {
            loop {
                let logs = self.logs(&format!("/aws/lambda/{function}")).await;
                let lines: Vec<String> = logs.into_iter().flat_map(|(_, log)| log).collect();
                if is_so(&lines) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("such a log within 20 s");
    }

    /// Waits until those environments are alive that should be.
    pub async fn until_alive(&self, wanted: &[pitbird_invoke::Alive]) {
        let wait = async {
            while self.invoker.alive(&Scope::default()) != wanted {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("they are alive within 20 s");
    }

    /// Waits until whatever is alive can take an invocation: who has answered can't before it asks for the next.
    pub async fn until_idle(&self) {
        let wait = async {
            while self.invoker.alive(&Scope::default()).iter().any(|it| it.starting > 0 || it.idle < it.ready)
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("all are idle within 20 s");
    }

    /// Waits until there are as many environments as there should be.
    pub async fn until_environments(&self, is_so: impl Fn(u32) -> bool) {
        let mut environments = self.invoker.environments();
        let wait = environments.wait_for(|count| is_so(*count));
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("so many within 20 s").unwrap();
    }

    /// What the only log stream of a function says.
    pub async fn log(&self, function: &str) -> Vec<String> {
        let mut logs = self.logs(&format!("/aws/lambda/{function}")).await;
        assert_eq!(logs.len(), 1, "{logs:?}");
        logs.remove(0).1
    }
}

pub fn invocation(payload: &str) -> Invocation {
    let entropy = uuid::Uuid::new_v4().as_u128();
    Invocation {
        request_id: pitbird_names::uuid(entropy),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        at_ms: now_ms(),
        ..Invocation::default()
    }
}

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

pub fn text(outcome: &Outcome) -> &str {
    std::str::from_utf8(&outcome.payload).unwrap()
}

pub fn json(outcome: &Outcome) -> serde_json::Value {
    serde_json::from_slice(&outcome.payload).unwrap_or_else(|error| panic!("{error}: {:?}", outcome.payload))
}

pub fn zip(files: &[(&str, String, u32)]) -> Bytes {
    zip_of(files.iter().map(|(name, content, mode)| (*name, content.as_bytes(), *mode)))
}

fn zip_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8], u32)>) -> Bytes {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, mode) in files {
        writer.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner().into()
}

/// Whether this host has an interpreter for a runtime; says so if not.
pub async fn has(bench: &Bench, runtime: &str) -> bool {
    match bench.invoker.runtime(runtime).await {
        Ok(_) => true,
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            false
        }
    }
}
