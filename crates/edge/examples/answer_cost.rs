//! What the gateway itself does for one request, nanoseconds of its thread's CPU each: from a request's head to its answer, without
//! HTTP and without a socket; and what of that are metrics and logs.
//! `cargo run --release -p pitbird-edge --example answer_cost [ROW]`; with a row's name it serves that one only, for a profiler.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use pitbird_edge::{Edge, Peer, SignatureFault, Target};
use pitbird_invoke::{Config, EventPolicy, Invoker, Limits};
use pitbird_records::stage::{AccessLog, MethodSetting};
use pitbird_records::{Deployment, Integration, IntegrationResponse, Method, Resource, RestApi, Stage};
use pitbird_sandbox::{Launcher, SpawnerCommand};
use pitbird_snapshot::{MemorySource, Snapshot, Touched, compile};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;

const ROUNDS: usize = 9;
const REQUESTS: u32 = 200_000;
/// Resources of an API with many, each with one more below it.
const PAIRS: usize = 145;
const VERBS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// The same that `cargo xtask bench` has.
const TEMPLATE: &str = r##"#set($inputRoot = $input.path('$'))
#set($name = $input.params('name'))
#set($stage = $context.stage)
{
  "requestId": "$context.requestId",
  "stage": "$stage",
  "method": "$context.httpMethod",
  "path": "$context.resourcePath",
#if($name && $name != '')
  "name": "$util.escapeJavaScript($name)",
#else
  "name": "nobody",
#end
  "list": [
#foreach($item in [1..3])
    {"number": $item}#if($foreach.hasNext),#end
#end
  ],
  "agent": "$util.escapeJavaScript($input.params('User-Agent'))",
  "source": "$context.identity.sourceIp"
}"##;

/// The same that `cargo xtask bench` has.
const ACCESS_LOG: &str = r#"{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime","httpMethod":"$context.httpMethod","resourcePath":"$context.resourcePath","status":"$context.status","protocol":"$context.protocol","responseLength":"$context.responseLength"}"#;

fn main() -> std::io::Result<()> {
    pitbird_sandbox::spawner_if_asked();
    let only = std::env::args().nth(1);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(only))
}

async fn measure(only: Option<String>) -> std::io::Result<()> {
    let data = tempfile::tempdir()?;
    let told = edge(&data.path().join("told"), true).await.map_err(std::io::Error::other)?;
    let untold = edge(&data.path().join("untold"), false).await.map_err(std::io::Error::other)?;
    let (told, untold) = (Arc::new(told), Arc::new(untold));
    let is_wanted = |row: &str| only.as_deref().is_none_or(|only| only == row);
    let mut out = std::io::stdout();
    for (row, path) in [
        ("plain", "/_aws/execute-api/plain/prod/"),
        ("template", "/_aws/execute-api/template/prod/"),
        ("routes", "/_aws/execute-api/routes/prod/things101/7/parts/8"),
    ] {
        if is_wanted(row) {
            let rounds = rounds(&[(&told, path)]).await.map_err(std::io::Error::other)?;
            writeln!(out, "{:>8} ns  {row}, at least {} ns", rounds[0][ROUNDS / 2], rounds[0][0])?;
        }
    }
    let plain = "/_aws/execute-api/plain/prod/";
    for (row, path) in [("metrics", plain), ("metrics-and-logs", "/_aws/execute-api/logged/prod/")] {
        if is_wanted(row) {
            let rounds = rounds(&[(&told, path), (&untold, plain)]).await.map_err(std::io::Error::other)?;
            let [with, without] = [&rounds[0], &rounds[1]].map(|sorted| sorted[ROUNDS / 2]);
            let cost = with.saturating_sub(without);
            writeln!(out, "{cost:>8} ns  {row}: {with} ns with, {without} ns where nobody counts or writes")?;
        }
    }
    Ok(())
}

/// Rounds of each edge and path in turn, so that what disturbs one disturbs all; sorted.
async fn rounds(asked: &[(&Arc<Edge>, &str)]) -> Result<Vec<Vec<u128>>, http::Error> {
    let mut rounds = vec![Vec::new(); asked.len()];
    for _ in 0..ROUNDS {
        for ((edge, path), rounds) in asked.iter().zip(&mut rounds) {
            rounds.push(round(edge, path).await?);
        }
    }
    rounds.iter_mut().for_each(|rounds| rounds.sort_unstable());
    Ok(rounds)
}

/// CPU time of this thread, nanoseconds; as of the kernel's last tick.
fn cpu_ns() -> u128 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default()
}

/// Nanoseconds of one request.
async fn round(edge: &Arc<Edge>, path: &str) -> Result<u128, http::Error> {
    let raw_head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:4566\r\n\r\n");
    let peer =
        Peer { source: "127.0.0.1", port: 4566, scheme: "http", raw_head: raw_head.as_bytes(), timer: None };
    let request = http::Request::get(path).header("host", "127.0.0.1:4566").body(())?;
    let (head, ()) = request.into_parts();
    let began = cpu_ns();
    for _ in 0..REQUESTS {
        let Some(target) = Target::parse("127.0.0.1:4566", head.uri.path()) else { continue };
        let unsigned = |_: &[u8], _: &str| Err(SignatureFault::Missing);
        let answer =
            edge.serve(edge.snapshot(), target, &head, Full::new(Bytes::new()), peer, unsigned).await;
        assert_eq!(black_box(answer).status(), 200, "{path}");
    }
    Ok((cpu_ns() - began) / u128::from(REQUESTS))
}

/// The gateway with all that it needs; `is_told`: whether it takes metrics and logs of requests.
async fn edge(
    data: &std::path::Path,
    is_told: bool,
) -> Result<Edge, Box<dyn std::error::Error + Send + Sync>> {
    let config = pitbird_telemetry::Config { takes_data_plane: is_told, ..Default::default() };
    let telemetry = Telemetry::open(&data.join("telemetry"), &config)?;
    let invoker = Invoker::start(Config {
        launcher: Launcher::start(pitbird_sandbox::Config::new(SpawnerCommand::own_binary())).await?,
        telemetry: telemetry.clone(),
        tracer: Default::default(),
        store: Store::open(&data.join("store"))?,
        cache_directory: data.join("cache"),
        search_path: Vec::new(),
        chosen_runtimes: Vec::new(),
        aws: None,
        endpoint_url: None,
        reach: None,
        limits: Limits::default(),
        events: EventPolicy::default(),
    })?;
    let snapshot = Arc::new(arc_swap::ArcSwap::from_pointee(snapshot()?));
    Ok(Edge::new(snapshot, invoker, telemetry))
}

fn snapshot() -> serde_json::Result<Snapshot> {
    let mut source = MemorySource::default();
    let hello = || vec![resource("/", &["GET"], r#"{"message": "hello"}"#)];
    put(&mut source, "plain", hello());
    put(&mut source, "logged", hello());
    put(&mut source, "template", vec![resource("/", &["GET"], TEMPLATE)]);
    let mut many = Vec::new();
    for number in 0..PAIRS {
        let below = if number % 2 == 0 { "{id}" } else { "{rest+}" };
        for path in [format!("/things{number}"), format!("/things{number}/{below}")] {
            many.push(resource(&path, &VERBS, r#"{"message": "hello"}"#));
        }
    }
    put(&mut source, "routes", many);
    compile(&Snapshot::default(), &Touched::everything(&source)?, &source)
}

fn resource(path: &str, verbs: &[&str], answer: &str) -> Resource {
    let json = "application/json".to_owned();
    let response = IntegrationResponse {
        response_templates: [(json.clone(), answer.to_owned())].into(),
        ..Default::default()
    };
    let integration = Integration {
        kind: "MOCK".into(),
        request_templates: [(json, r#"{"statusCode": 200}"#.to_owned())].into(),
        responses: BTreeMap::from([("200".to_owned(), response)]),
        ..Integration::default()
    };
    let method =
        Method { authorization_type: "NONE".into(), integration: Some(integration), ..Method::default() };
    let methods = verbs.iter().map(|verb| ((*verb).to_owned(), method.clone())).collect();
    Resource {
        scope: Default::default(),
        api_id: String::new(),
        id: path.into(),
        parent_id: None,
        path_part: None,
        path: path.into(),
        methods,
    }
}

/// Adds a deployed API.
fn put(source: &mut MemorySource, id: &str, resources: Vec<Resource>) {
    let api = api(id);
    source.put(&api);
    source.put(&Deployment {
        scope: Default::default(),
        api_id: id.into(),
        id: "d".into(),
        description: None,
        created_ms: 0,
        api,
        resources,
        models: Vec::new(),
        request_validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
    });
    source.put(&Stage {
        scope: Default::default(),
        api_id: id.into(),
        name: "prod".into(),
        deployment_id: "d".into(),
        description: None,
        created_ms: 0,
        updated_ms: 0,
        variables: Default::default(),
        canary: None,
        method_settings: settings(id),
        access_log: access_log(id),
        documentation_version: None,
        tracing_enabled: false,
        cache_cluster_enabled: false,
        cache_cluster_size: None,
        client_certificate_id: None,
        cache_flushed: 0,
        authorizers_flushed: 0,
        tags: Default::default(),
    });
}

/// Detailed metrics, where all is to be told.
fn settings(id: &str) -> BTreeMap<String, MethodSetting> {
    let detailed = MethodSetting {
        metrics_enabled: true,
        logging_level: None,
        data_trace_enabled: false,
        throttling_burst_limit: -1,
        throttling_rate_limit: -1.0,
        caching_enabled: false,
        cache_ttl_s: 0,
        cache_data_encrypted: false,
        require_authorization_for_cache_control: false,
        unauthorized_cache_control_header_strategy: String::new(),
    };
    (id == "logged").then(|| ("*/*".to_owned(), detailed)).into_iter().collect()
}

/// An access log in the form that API Gateway's console proposes, where all is to be told.
fn access_log(id: &str) -> Option<AccessLog> {
    (id == "logged").then(|| AccessLog {
        destination_arn: Some("arn:aws:logs:us-east-1:000000000000:log-group:access".into()),
        format: Some(ACCESS_LOG.into()),
    })
}

fn api(id: &str) -> RestApi {
    RestApi {
        scope: Default::default(),
        id: id.into(),
        name: id.into(),
        description: None,
        version: None,
        created_ms: 0,
        binary_media_types: Vec::new(),
        minimum_compression_size: None,
        api_key_source: "HEADER".into(),
        endpoint_types: Vec::new(),
        ip_address_type: "ipv4".into(),
        vpc_endpoint_ids: Vec::new(),
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".into(),
        tags: Default::default(),
    }
}
