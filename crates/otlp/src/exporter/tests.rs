//! Against a collector of a few lines.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Mutex;

use flate2::read::GzDecoder;
use pitbird_names::Scope;
use pitbird_telemetry::logs::{NewEvent, Spread};
use pitbird_telemetry::metrics::{Datum, Dimensions, Resolution, Samples, Unit};
use pitbird_trace::{Kind, Rate, Span, SpanId, TraceId, Tracer};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::message::{ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest};

const PATIENCE: Duration = Duration::from_secs(30);

/// A request as a collector got it: its path and unpacked body.
type Got = (String, Vec<u8>);

/// Answers each request with the next of `answers`, and then always that it was taken.
async fn collector(answers: &[&'static str]) -> (String, UnboundedReceiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answers: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(answers.iter().copied().collect()));
    let (sender, received) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (answers, sender) = (answers.clone(), sender.clone());
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while socket.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                    let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") else { continue };
                    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    let length: usize = length.unwrap().parse().unwrap();
                    if bytes.len() < end + 4 + length {
                        continue;
                    }
                    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
                    let body = &bytes[end + 4..];
                    let mut unpacked = Vec::new();
                    match head.contains("content-encoding: gzip") {
                        true => drop(GzDecoder::new(body).read_to_end(&mut unpacked).unwrap()),
                        false => unpacked.extend_from_slice(body),
                    }
                    let path = head.split(' ').nth(1).unwrap().to_owned();
                    let answer = answers.lock().unwrap().pop_front().unwrap_or("200 OK\r\n");
                    let answer = format!("HTTP/1.1 {answer}content-length: 0\r\n\r\n");
                    socket.write_all(answer.as_bytes()).await.unwrap();
                    let _ = sender.send((path, unpacked));
                    bytes.clear();
                }
            });
        }
    });
    (address, received)
}

fn config(address: &str, variables: &[(&str, &str)]) -> Config {
    let find =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    Config::read(Some(address), find).unwrap().unwrap()
}

/// Only this signal.
fn only(signal: &str) -> Vec<(&'static str, &'static str)> {
    let all = ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"];
    let others = all.into_iter().filter(|name| !name.contains(signal));
    others.map(|name| (name, "none")).collect()
}

async fn next(received: &mut UnboundedReceiver<Got>) -> Got {
    tokio::time::timeout(PATIENCE, received.recv()).await.expect("in time").expect("a request")
}

fn span(id: u64) -> Span {
    Span {
        trace: TraceId::new(1, 2),
        id: SpanId::new(id),
        parent: None,
        kind: Kind::Server,
        name: "s".to_owned(),
        start_ns: 1,
        end_ns: 2,
        attributes: Vec::new(),
        error: None,
        link: None,
    }
}

fn open(dir: &tempfile::TempDir) -> Arc<Telemetry> {
    Telemetry::open(dir.path(), &pitbird_telemetry::Config::default()).unwrap()
}

fn spans_in(body: &[u8]) -> usize {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    request.resource_spans.iter().flat_map(|one| &one.scope_spans).map(|scope| scope.spans.len()).sum()
}

#[tokio::test]
async fn all_signals_reach_the_collector_and_the_last_of_them_at_the_stop() {
    let (address, mut received) = collector(&[]).await;
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let (tracer, spans) = Tracer::new(Rate::ALL);
    let exporter = Exporter::start(&config(&address, &[]), spans, &telemetry);
    tracer.record(span(1));
    let lines = telemetry.log_stream(&Scope::default(), "/aws/lambda/f", "s", Spread::One);
    lines.line(5, "[ERROR]\tit broke\n");
    let datum = Datum {
        name: "orders".to_owned(),
        dimensions: Dimensions::none(),
        unit: Unit::Count,
        at_ms: 5,
        resolution: Resolution::Minute,
        samples: Samples::Values(vec![(3.0, 2.0)]),
    };
    telemetry.put(&Scope::default(), "Mine", vec![datum]).await.unwrap();
    telemetry.close().await.unwrap();
    exporter.stop().await;
    let mut bodies: std::collections::BTreeMap<String, Vec<Vec<u8>>> = Default::default();
    while let Ok((path, body)) = received.try_recv() {
        bodies.entry(path).or_default().push(body);
    }
    assert_eq!(bodies["/v1/traces"].iter().map(|body| spans_in(body)).sum::<usize>(), 1);
    let logs = ExportLogsServiceRequest::decode(bodies["/v1/logs"][0].as_slice()).unwrap();
    let record = &logs.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((record.severity_number, record.time_unix_nano), (17, 5_000_000));
    assert_eq!(record.body, Some("[ERROR]\tit broke".into()));
    let of_users = ExportMetricsServiceRequest::decode(bodies["/v1/metrics"][1].as_slice()).unwrap();
    let metric = &of_users.resource_metrics[0].scope_metrics[0].metrics[0];
    assert_eq!(metric.name, "amazonaws.com/Mine/orders");
}

#[tokio::test]
async fn what_is_not_taken_now_is_sent_again_and_what_never_will_be_is_counted() {
    let answers = ["503 Away\r\nretry-after: 0\r\n", "400 Bad\r\n"];
    let (address, mut received) = collector(&answers).await;
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let (tracer, spans) = Tracer::new(Rate::ALL);
    let exporter = Exporter::start(&config(&address, &only("TRACES")), spans, &telemetry);
    tracer.record(span(1));
    let first = next(&mut received).await;
    assert_eq!(next(&mut received).await, first, "the same once more");
    tracer.record(span(2));
    assert_eq!(spans_in(&next(&mut received).await.1), 1);
    assert_eq!(exporter.losses().of(Signal::Traces), 1, "the one that never will be taken");
    exporter.stop().await;
}

#[tokio::test]
async fn nothing_waits_for_a_collector_that_is_away() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let (tracer, spans) = Tracer::new(Rate::ALL);
    let exporter = Exporter::start(&config(&address, &only("TRACES")), spans, &telemetry);
    let sent = (SPANS_MAX * (crate::deliver::OUTBOX_MAX + 10)) as u64;
    for id in 0..sent {
        tracer.record(span(id + 1));
        if id % 256 == 0 {
            tokio::task::yield_now().await;
        }
    }
    exporter.stop().await;
}

#[tokio::test]
async fn an_outbox_has_a_bound_and_what_is_beyond_is_counted() {
    let losses = Arc::new(Losses::default());
    let config = config("http://127.0.0.1:9", &[]);
    let client = Arc::new(Client::new(&config));
    let endpoint = config.endpoints[0].clone().unwrap();
    let (_stop, stopped) = watch::channel(false);
    let (outbox, _delivery) = crate::deliver::outbox(Signal::Traces, &losses, &client, endpoint, stopped);
    for _ in 0..crate::deliver::OUTBOX_MAX + 2 {
        outbox.put(Payload::new(Vec::new(), 7, true));
    }
    assert_eq!(losses.of(Signal::Traces), 14);
}

#[tokio::test]
async fn log_events_are_told_with_where_they_are() {
    let (address, mut received) = collector(&[]).await;
    let dir = tempfile::tempdir().unwrap();
    let telemetry = open(&dir);
    let (_tracer, spans) = Tracer::new(Rate::NONE);
    let mut variables = only("LOGS");
    variables.push(("OTEL_EXPORTER_OTLP_COMPRESSION", "none"));
    let exporter = Exporter::start(&config(&address, &variables), spans, &telemetry);
    telemetry.create_stream(&Scope::default(), "mine", "s").await.unwrap();
    let event = NewEvent { at_ms: 7, message: "hello".to_owned() };
    telemetry.append(&Scope::default(), "mine", "s", &[event]).await.unwrap();
    let (path, body) = next(&mut received).await;
    assert_eq!(path, "/v1/logs");
    let logs = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
    let attributes = &logs.resource_logs[0].resource.as_ref().unwrap().attributes;
    let names: Vec<_> = attributes.iter().map(|one| one.key.as_str()).collect();
    assert!(names.contains(&"aws.log.group.names") && !names.contains(&"faas.name"), "{names:?}");
    telemetry.close().await.unwrap();
    exporter.stop().await;
}
