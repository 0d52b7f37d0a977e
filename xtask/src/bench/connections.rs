//! Connections and documents: what idle ones cost, HTTP/2 beside nginx's, what the gateway adds to an answer's time at half load, and
//! how long an import takes.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pitbird_testkit::Server;
use serde_json::{Value, json};

use super::connection::{Connection, address};
use super::load::{CONNECTIONS, rate};
use super::peers::{self, Program};
use super::platform::{
    BODY, api, bench_binary, call, create_function, deploy, permit, put_mock, put_proxy, resident_bytes,
    serve,
};
use super::{Figure, Options, median, quantile};

const IDLE: usize = 10_000;
/// Operations of the document that is imported.
const OPERATIONS: usize = 300;

pub fn figures(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let server = serve(root);
    let (id, resource) = api(&server)?;
    put_mock(&server, &id, &resource)?;
    deploy(&server, &id, &json!({ "stageName": "prod" }))?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    let mut figures = vec![import(&server)?];
    figures.extend(half_load(root, options)?);
    figures.extend(http2(&url, options)?);
    figures.push(idle(&server, &url, options)?);
    Ok(figures)
}

/// Keep-alive connections that have had one answer each.
fn idle(server: &Server, url: &str, options: &Options) -> Result<Figure> {
    let limit = descriptors()?;
    ensure!(limit > IDLE as u64 + 1000, "{limit} open files are too few\nhint: ulimit -n 20000");
    let (address, path) = address(url)?;
    let without: Vec<f64> = (0..options.rounds).map(|_| rate(url, options.seconds)).collect::<Result<_>>()?;
    let before = resident_bytes(server.pid())?;
    let mut kept = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let mut connection = Connection::open(address)?;
        connection.ask("GET", path, "")?;
        kept.push(connection);
    }
    let grown_mb = (resident_bytes(server.pid())? - before) / 1e6;
    let with: Vec<f64> = (0..options.rounds).map(|_| rate(url, options.seconds)).collect::<Result<_>>()?;
    for connection in kept.iter_mut().step_by(100) {
        connection.ask("GET", path, "").context("an idle connection was lost")?;
    }
    let measured = format!(
        "{grown_mb:.0} MB, {:.2} ({:.0}/s against {:.0}/s)",
        median(&with) / median(&without),
        median(&with),
        median(&without)
    );
    Ok(Figure::new(
        "10,000 idle keep-alive connections: memory, and throughput of active ones against that without",
        "≤ 150 MB, ≥ 0.95 ×",
        measured,
    ))
}

/// How many files a process may have open here; the server has as many.
fn descriptors() -> Result<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).context("limits")?;
    Ok(line.split_whitespace().nth(3).context("a limit")?.parse()?)
}

/// Connections, with a thread each, that send at set times. More threads than these take the processor from what is measured.
const EVEN_CONNECTIONS: u32 = 8;

/// The 99th percentile of answers' times while requests come evenly at half of what the gateway can do, and the bare
/// front end's at the same rate. A machine whose cores are taken by somebody else for some milliseconds, several times a
/// second, has its p99 there and nowhere else. So it is the p99 of each tenth of a second, and of these the lower quartile;
/// the median and that of whole rounds stand beside it.
fn half_load(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let server = serve(root);
    let function = std::fs::read(bench_binary(root, "bench-function"))?;
    create_function(&server, "hello", "provided.al2023", "bootstrap", &[("bootstrap", &function)])?;
    permit(&server, "hello", None)?;
    let (id, resource) = api(&server)?;
    put_proxy(&server, &id, &resource, "hello")?;
    deploy(&server, &id, &json!({ "stageName": "prod" }))?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    let program = Program::new(bench_binary(root, "bench-function"));
    let bare = peers::front_end(root, CONNECTIONS as usize, &program)?;
    let per_second = rate(&url, options.seconds)? / 2.0;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        ours.push(evenly(&url, per_second, options.seconds)?);
        theirs.push(evenly(&format!("{}/", bare.url), per_second, options.seconds)?);
    }
    let (ours, theirs) = (Slowest::of(&ours), Slowest::of(&theirs));
    Ok(vec![Figure::new(
        format!("p99 added over the bare front end, {per_second:.0} requests/s, half of the most"),
        "≤ 0.3 ms",
        format!("{:.2} ms ({ours} against {theirs} ms)", ours.quartile - theirs.quartile),
    )])
}

/// The 99th percentiles of answers' times, ms: of the tenths of a second the lower quartile and the median, and the median
/// of whole rounds.
struct Slowest {
    quartile: f64,
    median: f64,
    whole: f64,
}

impl Slowest {
    fn of(rounds: &[Tenths]) -> Slowest {
        let p99 = |took: &Vec<f64>| quantile(took, 0.99);
        let tenths: Vec<f64> = rounds.iter().flatten().map(p99).collect();
        let whole: Vec<f64> = rounds.iter().map(|round| p99(&round.concat())).collect();
        Slowest { quartile: quantile(&tenths, 0.25), median: median(&tenths), whole: median(&whole) }
    }
}

impl fmt::Display for Slowest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Slowest { quartile, median, whole } = self;
        write!(f, "{quartile:.2}, in the median tenth of a second {median:.2}, in whole rounds {whole:.2}")
    }
}

/// Answers' times, ms, by the tenth of a second in which their requests were due.
type Tenths = Vec<Vec<f64>>;

/// Sends requests at set times over [`EVEN_CONNECTIONS`] connections, a thread each; how long each took from when it was due.
fn evenly(url: &str, per_second: f64, seconds: u32) -> Result<Tenths> {
    let (address, path) = address(url)?;
    let gap = Duration::from_secs_f64(f64::from(EVEN_CONNECTIONS) / per_second);
    let begins = Instant::now() + Duration::from_millis(100);
    let tenths = 10 * seconds as usize;
    let one = move |number: u32| -> Result<Vec<(usize, f64)>> {
        let mut connection = Connection::open(address)?;
        let mut due = begins + gap.mul_f64(f64::from(number) / f64::from(EVEN_CONNECTIONS));
        let mut took = Vec::new();
        loop {
            let tenth = (due.duration_since(begins).as_millis() / 100) as usize;
            if tenth >= tenths {
                return Ok(took);
            }
            // Requests come at set times: that is what is measured.
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            connection.ask("GET", path, "")?;
            took.push((tenth, due.elapsed().as_secs_f64() * 1e3));
            due += gap;
        }
    };
    let all: Vec<Result<Vec<(usize, f64)>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..EVEN_CONNECTIONS).map(|number| scope.spawn(move || one(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut sorted = vec![Vec::new(); tenths];
    for (tenth, took_ms) in all.into_iter().collect::<Result<Vec<_>>>()?.concat() {
        sorted[tenth].push(took_ms);
    }
    Ok(sorted)
}

/// HTTP/2 with prior knowledge, where h2load (nghttp2-client) is there.
fn http2(url: &str, options: &Options) -> Result<Vec<Figure>> {
    if Command::new("h2load").arg("--version").output().is_err() {
        eprintln!("no h2load, so no row for HTTP/2\nhint: apt-get install nghttp2-client");
        return Ok(Vec::new());
    }
    let nginx = peers::nginx_http2()?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let (x, y) = (h2load(url, options.seconds)?, h2load(&nginx.url, options.seconds)?);
        ours.push(x);
        theirs.push(y);
        ratios.push(x / y);
    }
    let measured =
        format!("{:.2} ({:.0}/s against {:.0}/s)", median(&ratios), median(&ours), median(&theirs));
    let what = "HTTP/2, 16 connections with 8 streams each, MOCK, against nginx `return 200` with the same";
    Ok(vec![Figure::new(what, "≥ 0.8 ×", measured)])
}

fn h2load(url: &str, seconds: u32) -> Result<f64> {
    let output = Command::new("h2load")
        .args(["-t", "1", "-c", "16", "-m", "8", "-D", &seconds.to_string(), url])
        .output()
        .context("h2load")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(text.contains(" 0 3xx, 0 4xx, 0 5xx") && text.contains(" 0 failed"), "{url}: {text}");
    let line = text.lines().find(|line| line.starts_with("finished in")).context("h2load's figure")?;
    let rate = line.split(", ").nth(1).and_then(|part| part.split(' ').next()).context("a rate")?;
    Ok(rate.parse()?)
}

/// A document of so many operations, answered once the API is there.
fn import(server: &Server) -> Result<Figure> {
    let operation = json!({
        "responses": { "200": { "description": "ok" } },
        "x-amazon-apigateway-integration": {
            "type": "mock", "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
            "responses": { "default": { "statusCode": "200", "responseTemplates": { "application/json": BODY } } },
        },
    });
    let paths: serde_json::Map<String, Value> = (0..OPERATIONS / 3)
        .map(|number| {
            let operations = json!({ "get": operation, "post": operation, "delete": operation });
            (format!("/group{}/things{number}/{{id}}", number % 10), operations)
        })
        .collect();
    let document = json!({ "openapi": "3.0.1", "info": { "title": "many", "version": "1" }, "paths": paths });
    let mut took_ms = Vec::new();
    for _ in 0..11 {
        let began = Instant::now();
        call(server, "POST", "/restapis?mode=import", &document)?;
        took_ms.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let most = took_ms.iter().copied().fold(0.0, f64::max);
    let measured = format!("{:.0} ms, most {most:.0} ms", median(&took_ms));
    Ok(Figure::new("import of an OpenAPI document with 300 operations", "≤ 200 ms", measured))
}
