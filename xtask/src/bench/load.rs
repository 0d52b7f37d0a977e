//! Throughput under wrk, in alternation with the peers.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::peers::Program;
use super::platform::{
    api, bench_binary, call, cpu_s, create_function, deploy, permit, put_mock, put_proxy, serve,
};
use super::{Figure, Options, median, peers};

pub const CONNECTIONS: u32 = 64;

/// Requests per second of one wrk run. Anything but success fails it.
pub fn rate(url: &str, seconds: u32) -> Result<f64> {
    wrk_with((url, &[]), seconds)
}

fn wrk_with((url, further): (&str, &[String]), seconds: u32) -> Result<f64> {
    let threads = "2";
    let output = Command::new("wrk")
        .args(further)
        .args(["-t", threads, "-c", &CONNECTIONS.to_string(), "-d", &format!("{seconds}s"), url])
        .output()
        .context("wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{url}: {text}");
    let line =
        text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:")).context("wrk's figure")?;
    Ok(line.trim().parse()?)
}

/// Runs a and b in turn; the rates of both and the median ratio a/b.
pub fn alternate(a: &str, b: &str, options: &Options) -> Result<(f64, f64, f64)> {
    alternate_with((a, &[]), (b, &[]), options)
}

/// The same with further words for wrk.
pub fn alternate_with(
    a: (&str, &[String]),
    b: (&str, &[String]),
    options: &Options,
) -> Result<(f64, f64, f64)> {
    let (mut of_a, mut of_b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    wrk_with(a, 1)?;
    wrk_with(b, 1)?;
    for _ in 0..options.rounds {
        let (x, y) = (wrk_with(a, options.seconds)?, wrk_with(b, options.seconds)?);
        of_a.push(x);
        of_b.push(y);
        ratios.push(x / y);
    }
    Ok((median(&of_a), median(&of_b), median(&ratios)))
}

pub fn mock(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let server = serve(root);
    let (id, resource) = api(&server)?;
    put_mock(&server, &id, &resource)?;
    deploy(&server, &id, &json!({ "stageName": "prod" }))?;
    let nginx = peers::nginx(None)?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    let (ours, theirs, ratio) = alternate(&url, &nginx.url, options)?;
    let measured = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
    Ok(vec![Figure::new("MOCK, 64 keep-alive connections, against nginx `return 200`", "≥ 0.9 ×", measured)])
}

/// Everything on: a stage canary, a weighted alias, metrics and function logs.
pub fn proxy(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let server = serve(root);
    let function = std::fs::read(bench_binary(root, "bench-function"))?;
    create_function(&server, "hello", "provided.al2023", "bootstrap", &[("bootstrap", &function)])?;
    for description in ["one", "two"] {
        let path = "/2015-03-31/functions/hello/configuration";
        call(&server, "PUT", path, &json!({ "Description": description }))?;
        super::platform::wait_until_settled(&server, "hello")?;
        call(&server, "POST", "/2015-03-31/functions/hello/versions", &json!({}))?;
    }
    let weights = json!({ "AdditionalVersionWeights": { "2": 0.1 } });
    let alias = json!({ "Name": "live", "FunctionVersion": "1", "RoutingConfig": weights });
    call(&server, "POST", "/2015-03-31/functions/hello/aliases", &alias)?;
    permit(&server, "hello", Some("live"))?;
    let (id, resource) = api(&server)?;
    put_proxy(&server, &id, &resource, "hello:${stageVariables.alias}")?;
    deploy(&server, &id, &json!({ "stageName": "prod", "variables": { "alias": "live" } }))?;
    deploy(&server, &id, &json!({ "stageName": "prod", "canarySettings": { "percentTraffic": 10.0 } }))?;

    let front_end =
        peers::front_end(root, CONNECTIONS as usize, &Program::new(bench_binary(root, "bench-function")))?;
    let upstream: SocketAddr = front_end.url.trim_start_matches("http://").parse()?;
    let nginx = peers::nginx(Some(upstream))?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    let (ours, theirs, ratio) = alternate(&url, &front_end.url, options)?;

    let workers = nginx_workers(nginx.pid())?;
    let proxied = format!("{}/proxy", nginx.url);
    let (mut ours_us, mut nginx_us, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let ours = cpu_per_request_us(&[server.pid()], &url, options)?;
        let theirs = cpu_per_request_us(&workers, &proxied, options)?;
        ours_us.push(ours);
        nginx_us.push(theirs);
        ratios.push(ours / theirs);
    }
    let (ours_us, nginx_us, cpu_ratio) = (median(&ours_us), median(&nginx_us), median(&ratios));
    let throughput = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
    let cpu = format!("{cpu_ratio:.1} × ({ours_us:.0} µs against {nginx_us:.0} µs)");
    Ok(vec![
        Figure::new(
            "warm AWS_PROXY, everything on, against a bare front end with a Runtime API",
            "≥ 0.95 ×",
            throughput,
        ),
        Figure::new("CPU of pitbird per request, against nginx proxy_pass without a log", "≤ 2 ×", cpu),
    ])
}

/// CPU time of some processes per request of one run of load, µs.
pub fn cpu_per_request_us(pids: &[u32], url: &str, options: &Options) -> Result<f64> {
    let all = || pids.iter().map(|pid| cpu_s(*pid)).sum::<Result<f64>>();
    let before = all()?;
    let rate = rate(url, options.seconds)?;
    Ok((all()? - before) * 1e6 / (rate * f64::from(options.seconds)))
}

fn nginx_workers(master: u32) -> Result<Vec<u32>> {
    let children = std::fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
    Ok(children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}
