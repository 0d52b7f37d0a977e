//! Log events as callers send them: over HTTP, in bodies as boto3 makes them, acknowledged when they are on the disk; and what becomes
//! metrics of them.

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
/// The streams of events that are counted as metrics, and how many events a call brings: some 250 bytes each.
const EMBEDDED: &str = "embedded";
const FILTERED: &str = "filtered";
const COUNTED_EVENTS: usize = 3_500;
const COUNTED_CALLS: usize = 40;
const NAMESPACE: &str = "bench";
const COUNTED_GOAL: &str = "≥ 50,000 events/s";

pub fn figures(root: &Path) -> Result<Vec<Figure>> {
    let server = serve(root);
    let client = Client::default();
    call(&client, &server, "CreateLogGroup", &json!({ "logGroupName": GROUP }))?;
    for stream in [STREAM, LOOKED_FOR, EMBEDDED] {
        let stream = json!({ "logGroupName": GROUP, "logStreamName": stream });
        call(&client, &server, "CreateLogStream", &stream)?;
    }
    let mut figures = vec![throughput(&client, &server)?, visibility(&client, &server)?];
    let sent = (GROUP, EMBEDDED, "embedded metrics (EMF), one of one dimension set");
    figures.push(counted(&client, &server, sent, embedded)?);
    filter(&client, &server)?;
    let sent = (FILTERED, FILTERED, "a JSON metric filter with a value, of events that all pass it");
    figures.push(counted(&client, &server, sent, filtered)?);
    Ok(figures)
}

/// A group of its own, whose events pass a filter.
fn filter(client: &Client, server: &Server) -> Result<()> {
    call(client, server, "CreateLogGroup", &json!({ "logGroupName": FILTERED }))?;
    call(client, server, "CreateLogStream", &json!({ "logGroupName": FILTERED, "logStreamName": FILTERED }))?;
    let metric = json!({ "metricName": FILTERED, "metricNamespace": NAMESPACE, "metricValue": "$.latency" });
    let filter = json!({
        "logGroupName": FILTERED, "filterName": FILTERED, "metricTransformations": [metric],
        "filterPattern": "{ $.latency > 0 && $.route = \"/orders/*\" }",
    });
    call(client, server, "PutMetricFilter", &filter).map(drop)
}

/// From the first event's sending until the metric has all of them, one sender after the other's acknowledgement. The processor time is
/// all of the server's, so that filing the events is in it. The metric is named as the stream.
fn counted(
    client: &Client,
    server: &Server,
    (group, stream, what): (&str, &str, &str),
    event: fn(u64, usize) -> Value,
) -> Result<Figure> {
    let body = |call: usize| -> Value {
        let at_ms = now_ms();
        let one = |number| {
            let message = event(at_ms, call * COUNTED_EVENTS + number).to_string();
            json!({ "timestamp": at_ms, "message": message })
        };
        (0..COUNTED_EVENTS).map(one).collect()
    };
    let bodies: Vec<Value> = (0..COUNTED_CALLS).map(body).collect();
    let (cpu_before_s, began) = (cpu_s(server.pid())?, Instant::now());
    for body in &bodies {
        put_to(client, server, (group, stream), body)?;
    }
    let count = (COUNTED_CALLS * COUNTED_EVENTS) as f64;
    while samples(client, server, stream)? < count {
        ensure!(began.elapsed() < PATIENCE * 6, "{stream}: events are missing in the metric");
        std::thread::sleep(Duration::from_millis(20));
    }
    let per_s = count / began.elapsed().as_secs_f64();
    let per_cpu_s = count / (cpu_s(server.pid())? - cpu_before_s);
    let measured = format!("{per_s:.0}/s, {per_cpu_s:.0} for each second of one core");
    Ok(Figure::new(format!("events put and counted by {what}"), COUNTED_GOAL, measured))
}

fn embedded(at_ms: u64, number: usize) -> Value {
    let metric = json!({
        "Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": [{ "Name": EMBEDDED, "Unit": "Milliseconds" }],
    });
    json!({
        "_aws": { "Timestamp": at_ms, "CloudWatchMetrics": [metric] },
        "service": "orders", "requestId": format!("{number:032x}"), EMBEDDED: number % 500 + 1,
    })
}

fn filtered(_: u64, number: usize) -> Value {
    json!({
        "level": "INFO", "requestId": format!("{number:032x}"), "route": format!("/orders/{}", number % 100),
        "latency": number % 500 + 1, "message": "an order was taken and is on its way to whoever has waited for it",
    })
}

/// How many samples a metric of the last hour has.
fn samples(client: &Client, server: &Server, metric: &str) -> Result<f64> {
    let now_s = now_ms() / 1000;
    let asked = json!({
        "Namespace": NAMESPACE, "MetricName": metric, "Period": 3600, "Statistics": ["SampleCount"],
        "StartTime": now_s - 3600, "EndTime": now_s + 3600,
    });
    let target = "GraniteServiceVersion20100801.GetMetricStatistics";
    let answer = send(client, server, ("application/x-amz-json-1.0", target), &asked)?;
    let points = answer["Datapoints"].as_array().into_iter().flatten();
    Ok(points.filter_map(|point| point["SampleCount"].as_f64()).sum())
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
    put_to(client, server, (GROUP, stream), events)
}

fn put_to(client: &Client, server: &Server, (group, stream): (&str, &str), events: &Value) -> Result<()> {
    let input = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
    let answer = call(client, server, "PutLogEvents", &input)?;
    ensure!(answer["rejectedLogEventsInfo"].is_null(), "events were refused: {answer}");
    Ok(())
}

fn call(client: &Client, server: &Server, operation: &str, input: &Value) -> Result<Value> {
    let target = format!("Logs_20140328.{operation}");
    send(client, server, ("application/x-amz-json-1.1", &target), input)
}

fn send(client: &Client, server: &Server, (kind, target): (&str, &str), input: &Value) -> Result<Value> {
    let headers = [("content-type", kind), ("x-amz-target", target)];
    let url = format!("{}/", server.endpoint);
    let answer: Answer =
        client.send("POST", &url, &headers, &serde_json::to_vec(input)?).map_err(anyhow::Error::msg)?;
    ensure!(answer.is_success(), "{target}: {} {}", answer.status, answer.text());
    Ok(serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
