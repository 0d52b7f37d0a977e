//! Log events as callers send them: over HTTP, in bodies as boto3 makes them, acknowledged when they are on the disk.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use pitbird_testkit::{Answer, Client, Server};
use serde_json::{Value, json};

use super::platform::{cpu_s, serve};
use super::{Figure, quantile};

const GROUP: &str = "bench";
const STREAM: &str = "many";
/// The stream of events that are looked for: what else there is needn't be looked through.
const LOOKED_FOR: &str = "few";
/// Events of one call, and how long each is: just below what a call may bring.
const EVENTS: usize = 10_000;
const MESSAGE_BYTES: usize = 78;
const CALLS: usize = 50;
/// Events that are looked for as soon as they were sent.
const LOOKS: usize = 200;
/// How long one is looked for.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let server = serve(root);
    let client = Client::default();
    call(&client, &server, "CreateLogGroup", &json!({ "logGroupName": GROUP }))?;
    for stream in [STREAM, LOOKED_FOR] {
        let stream = json!({ "logGroupName": GROUP, "logStreamName": stream });
        call(&client, &server, "CreateLogStream", &stream)?;
    }
    Ok(vec![throughput(&client, &server)?, visibility(&client, &server)?])
}

/// One sender after the other's acknowledgement: by the time that it took, and by the processor time of the server.
fn throughput(client: &Client, server: &Server) -> Result<Figure> {
    put(client, server, STREAM, &events(0))?;
    let (cpu_before_s, began) = (cpu_s(server.pid())?, Instant::now());
    for number in 1..=CALLS {
        put(client, server, STREAM, &events(number))?;
    }
    let count = (CALLS * EVENTS) as f64;
    let per_s = count / began.elapsed().as_secs_f64();
    let per_cpu_s = count / (cpu_s(server.pid())? - cpu_before_s);
    let measured = format!("{per_s:.0}/s, {per_cpu_s:.0} for each second of one core");
    let what = format!("PutLogEvents over HTTP, durable, {EVENTS} events of {MESSAGE_BYTES} bytes a call");
    Ok(Figure::new(what, "≥ 100,000 events/s of one core", measured))
}

/// From the moment at which an event is sent until a reader finds it.
fn visibility(client: &Client, server: &Server) -> Result<Figure> {
    let mut ms = Vec::with_capacity(LOOKS);
    for number in 0..LOOKS {
        let message = format!("look-{number:06}");
        let began = Instant::now();
        put(client, server, LOOKED_FOR, &json!([{ "timestamp": now_ms(), "message": message }]))?;
        let asked = json!({
            "logGroupName": GROUP, "logStreamNames": [LOOKED_FOR], "filterPattern": format!("\"{message}\""),
            "startTime": now_ms() - 60_000,
        });
        while !is_found(&call(client, server, "FilterLogEvents", &asked)?) {
            ensure!(began.elapsed() < PATIENCE, "{message} isn't to be seen");
        }
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let measured = format!("p50 {:.1} ms, p99 {:.1} ms", quantile(&ms, 0.5), quantile(&ms, 0.99));
    Ok(Figure::new("a log event, sent to found by FilterLogEvents", "p99 ≤ 500 ms", measured))
}

fn is_found(answer: &Value) -> bool {
    answer["events"].as_array().is_some_and(|events| !events.is_empty())
}

fn events(call: usize) -> Value {
    let at_ms = now_ms();
    let one = |number: usize| {
        let message =
            format!("{:<width$}", format!("call {call} event {number} took 12 ms"), width = MESSAGE_BYTES);
        json!({ "timestamp": at_ms, "message": message })
    };
    (0..EVENTS).map(one).collect()
}

fn put(client: &Client, server: &Server, stream: &str, events: &Value) -> Result<()> {
    let input = json!({ "logGroupName": GROUP, "logStreamName": stream, "logEvents": events });
    let answer = call(client, server, "PutLogEvents", &input)?;
    ensure!(answer["rejectedLogEventsInfo"].is_null(), "events were refused: {answer}");
    Ok(())
}

fn call(client: &Client, server: &Server, operation: &str, input: &Value) -> Result<Value> {
    let target = format!("Logs_20140328.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
    let url = format!("{}/", server.endpoint);
    let answer: Answer =
        client.send("POST", &url, &headers, &serde_json::to_vec(input)?).map_err(anyhow::Error::msg)?;
    ensure!(answer.is_success(), "{operation}: {} {}", answer.status, answer.text());
    Ok(serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
