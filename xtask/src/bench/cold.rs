//! Cold starts: from an HTTP request to its response, with a sandbox made on the way.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use pitbird_testkit::{Server, get};
use serde_json::json;

use super::platform::{
    api, bench_binary, call, create_function, deploy, permit, put_proxy, serve, serve_with,
    wait_until_settled,
};
use super::{Figure, quantile};

const ROUNDS: usize = 51;
/// Between two cold starts, for what is parked ahead of the next. One right after the other they would find nothing parked.
const PAUSE: Duration = Duration::from_millis(200);

const PYTHON: &[u8] =
    b"def handler(event, context):\n    return {\"statusCode\": 200, \"body\": \"hello\"}\n";
const NODE: &[u8] = b"exports.handler = async () => ({ statusCode: 200, body: \"hello\" });\n";

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let rust = std::fs::read(bench_binary(root, "bench-function"))?;
    let rust = ("provided.al2023", "bootstrap", "bootstrap", rust.as_slice());
    let python = ("python3.11", "app.handler", "app.py", PYTHON);
    let node = ("nodejs20.x", "app.handler", "app.js", NODE);
    let (fresh, parked) = (serve_with(root, &["--parked", "0"])?, serve(root));
    let mut figures = Vec::new();
    for (server, what, goal, (runtime, handler, file, code)) in [
        (&fresh, "Rust", "p50 ≤ 6 ms", rust),
        (&fresh, "Python, nothing parked", "p50 ≤ 25 ms", python),
        (&parked, "Python", "p50 ≤ 12 ms", python),
        (&fresh, "Node, nothing parked", "p50 ≤ 50 ms", node),
        (&parked, "Node", "p50 ≤ 10 ms", node),
    ] {
        let name = runtime.replace('.', "-");
        create_function(server, &name, runtime, handler, &[(file, code)])?;
        let ms = measure(server, &name)?;
        let measured = format!("p50 {:.1} ms, p99 {:.1} ms", quantile(&ms, 0.5), quantile(&ms, 0.99));
        figures.push(Figure::new(
            format!("cold start, {what}, sandboxed, request to response, one each {} ms", PAUSE.as_millis()),
            goal,
            measured,
        ));
    }
    Ok(figures)
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
