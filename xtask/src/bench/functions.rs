//! Functions by themselves: calls over the Invoke API, bursts, deployments and events.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use pitbird_testkit::{Answer, Client, Server};
use serde_json::json;

use super::platform::{base64, bench_binary, call, create_function, serve, zipped};
use super::{Figure, quantile};

const CALLS: usize = 2000;
const BURST: usize = 200;
/// How long each call of a burst is at work, so that none can be served by the environment of another.
const BUSY: Duration = Duration::from_secs(1);
const DEPLOYMENTS: usize = 11;
/// A package of this size beside the code itself, bytes.
const PACKAGE_BYTES: usize = 5 << 20;
const SENDERS: usize = 32;
const SENDING: Duration = Duration::from_secs(5);

const PYTHON: &[u8] = b"def handler(event, context):\n    return event\n";
const NODE: &[u8] = b"exports.handler = async (event) => event;\n";

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let server = serve(root);
    let rust = std::fs::read(bench_binary(root, "bench-function"))?;
    let mut figures = Vec::new();
    for (what, goal, runtime, handler, file, code) in [
        ("Rust", "p50 ≤ 0.35 ms", "provided.al2023", "bootstrap", "bootstrap", rust.as_slice()),
        ("Python", "p50 ≤ 0.4 ms", "python3.11", "app.handler", "app.py", PYTHON),
        ("Node", "p50 ≤ 0.45 ms", "nodejs20.x", "app.handler", "app.js", NODE),
    ] {
        let name = what.to_lowercase();
        create_function(&server, &name, runtime, handler, &[(file, code)])?;
        let ms = warm(&server, &name)?;
        let measured = format!("p50 {:.2} ms, p99 {:.2} ms", quantile(&ms, 0.5), quantile(&ms, 0.99));
        figures.push(Figure::new(format!("warm Invoke, one connection, {what}"), goal, measured));
    }
    figures.push(burst(&server)?);
    figures.push(deployments(&server)?);
    figures.push(events(&server)?);
    Ok(figures)
}

fn invoke(client: &Client, server: &Server, name: &str, is_event: bool, event: &[u8]) -> Result<Answer> {
    let url = format!("{}/2015-03-31/functions/{name}/invocations", server.endpoint);
    let headers: &[(&str, &str)] = if is_event { &[("x-amz-invocation-type", "Event")] } else { &[] };
    let answer = client.send("POST", &url, headers, event).map_err(anyhow::Error::msg)?;
    let is_well = answer.is_success() && answer.header("x-amz-function-error").is_none();
    ensure!(is_well, "{name}: {} {}", answer.status, answer.text());
    Ok(answer)
}

/// The times of calls one after the other, ms.
fn warm(server: &Server, name: &str) -> Result<Vec<f64>> {
    let client = Client::default();
    let mut ms = Vec::with_capacity(CALLS);
    for _ in 0..CALLS / 10 {
        invoke(&client, server, name, false, b"{}")?;
    }
    for _ in 0..CALLS {
        let began = Instant::now();
        invoke(&client, server, name, false, b"{}")?;
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(ms)
}

/// Calls all at once, where there is no environment yet.
fn burst(server: &Server) -> Result<Figure> {
    let code = format!(
        "#!/bin/bash\nhost=${{AWS_LAMBDA_RUNTIME_API%:*}} port=${{AWS_LAMBDA_RUNTIME_API#*:}}\n\
         call() {{ exec 3<>/dev/tcp/$host/$port; printf '%s /2018-06-01%s HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\
         content-length: 2\\r\\n\\r\\n{{}}' \"$1\" \"$2\" >&3; reply=$(cat <&3); exec 3>&-; }}\n\
         while :; do call GET /runtime/invocation/next; id=${{reply#*request-id: }}; id=${{id%%$'\\r'*}}\n\
         read -t {} <> <(:); call POST /runtime/invocation/$id/response; done\n",
        BUSY.as_secs_f64()
    );
    create_function(server, "burst", "provided.al2023", "bootstrap", &[("bootstrap", code.as_bytes())])?;
    let start = Barrier::new(BURST + 1);
    let took = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..BURST)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    invoke(&Client::default(), server, "burst", false, b"{}")
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        let mut answers = callers.into_iter().map(|caller| caller.join().expect("a caller"));
        answers.try_for_each(|answer| answer.map(drop)).map(|()| began.elapsed())
    })?;
    let measured = format!("{:.2} s, no failed request", (took - BUSY).as_secs_f64());
    Ok(Figure::new(
        format!("burst, 0 to {BURST} environments, beside the functions' own time"),
        "≤ 1.5 s",
        measured,
    ))
}

/// From the acknowledgement of new code to the first answer that is its.
fn deployments(server: &Server) -> Result<Figure> {
    let ballast: Vec<u8> = (0..PACKAGE_BYTES).map(|_| fastrand_byte()).collect();
    let code = |round: usize| format!("def handler(event, context):\n    return {round}\n");
    let files = |code: &str| zipped(&[("app.py", code.as_bytes()), ("ballast", &ballast)]);
    create_function(server, "deployed", "python3.11", "app.handler", &[("app.py", code(0).as_bytes())])?;
    let client = Client::default();
    let mut ms = Vec::new();
    for round in 1..=DEPLOYMENTS {
        invoke(&client, server, "deployed", false, b"{}")?;
        let package = json!({ "ZipFile": base64(&files(&code(round))?) });
        call(server, "PUT", "/2015-03-31/functions/deployed/code", &package)?;
        let began = Instant::now();
        while invoke(&client, server, "deployed", false, b"{}")?.body != round.to_string().as_bytes() {}
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
        super::platform::wait_until_settled(server, "deployed")?;
    }
    let measured = format!("p50 {:.0} ms, most {:.0} ms", quantile(&ms, 0.5), quantile(&ms, 1.0));
    Ok(Figure::new("deployment, 5 MB zip, acknowledged to served (Python)", "≤ 100 ms", measured))
}

/// Bytes that don't compress.
fn fastrand_byte() -> u8 {
    use std::cell::Cell;
    thread_local!(static STATE: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) });
    STATE.with(|state| {
        let mut bits = state.get();
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        state.set(bits);
        bits.to_be_bytes()[0]
    })
}

/// Events as fast as they are acknowledged, each durable.
fn events(server: &Server) -> Result<Figure> {
    let (count, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let began = Instant::now();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let client = Client::default();
                    while !is_over.load(Ordering::Relaxed) && began.elapsed() < SENDING {
                        invoke(&client, server, "rust", true, b"{}").inspect_err(|_| {
                            is_over.store(true, Ordering::Relaxed);
                        })?;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        senders.into_iter().try_for_each(|sender| sender.join().expect("a sender"))
    })?;
    let rate = count.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    Ok(Figure::new("events acknowledged, durable, 32 senders", "≥ 2,000/s", format!("{rate:.0}/s")))
}
