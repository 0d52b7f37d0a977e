//! What the gateway itself does for one request, nanoseconds each: from a request's head to its answer, without HTTP and without a
//! socket. `cargo run --release -p pitbird-edge --example answer_cost [ROW]`; with a row's name it serves that one only, for a profiler.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use pitbird_edge::{Edge, Peer, SignatureFault, Target};
use pitbird_invoke::{Config, EventPolicy, Invoker, Limits};
use pitbird_records::{Deployment, Integration, IntegrationResponse, Method, Resource, RestApi, Stage};
use pitbird_sandbox::{Launcher, SpawnerCommand};
use pitbird_snapshot::{MemorySource, Snapshot, Touched, compile};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;

const ROUNDS: usize = 9;
const REQUESTS: u32 = 50_000;
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

fn main() -> std::io::Result<()> {
    pitbird_sandbox::spawner_if_asked();
    let only = std::env::args().nth(1);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(only))
}

async fn measure(only: Option<String>) -> std::io::Result<()> {
    let data = tempfile::tempdir()?;
    let edge = Arc::new(edge(data.path()).await.map_err(std::io::Error::other)?);
    for (row, path) in [
        ("plain", "/_aws/execute-api/plain/prod/"),
        ("template", "/_aws/execute-api/template/prod/"),
        ("routes", "/_aws/execute-api/routes/prod/things101/7/parts/8"),
    ] {
        if only.as_deref().is_some_and(|only| only != row) {
            continue;
        }
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(round(&edge, path).await.map_err(std::io::Error::other)?);
        }
        rounds.sort_unstable();
        writeln!(std::io::stdout(), "{:>8} ns  {row}, at least {} ns", rounds[ROUNDS / 2], rounds[0])?;
    }
    Ok(())
}

/// Nanoseconds of one request.
async fn round(edge: &Arc<Edge>, path: &str) -> Result<u128, http::Error> {
    let raw_head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:4566\r\n\r\n");
    let peer = Peer { source: "127.0.0.1", port: 4566, scheme: "http", raw_head: raw_head.as_bytes() };
    let request = http::Request::get(path).header("host", "127.0.0.1:4566").body(())?;
    let (head, ()) = request.into_parts();
    let began = Instant::now();
    for _ in 0..REQUESTS {
        let Some(target) = Target::parse("127.0.0.1:4566", head.uri.path()) else { continue };
        let unsigned = |_: &[u8], _: &str| Err(SignatureFault::Missing);
        let answer = edge.serve(target, &head, Full::new(Bytes::new()), peer, unsigned).await;
        assert_eq!(black_box(answer).status(), 200, "{path}");
    }
    Ok(began.elapsed().as_nanos() / u128::from(REQUESTS))
}

async fn edge(data: &std::path::Path) -> Result<Edge, Box<dyn std::error::Error + Send + Sync>> {
    let telemetry = Telemetry::open(&data.join("telemetry"), &Default::default())?;
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
    put(&mut source, "plain", vec![resource("/", &["GET"], r#"{"message": "hello"}"#)]);
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
        method_settings: BTreeMap::new(),
        access_log: None,
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
