//! Log events as OTLP's log records.

use memchr::memmem;
use pitbird_telemetry::logs::Filed;
use pitbird_trace::Context;
use prost::Message;
use serde::Deserialize;

use crate::message::{
    self, Any, AnyValue, ArrayValue, LogRecord, Resource, ResourceLogs, ScopeLogs, attribute,
};
use crate::resource::{Origin, instrumentation};

/// The request that hands on these batches of events.
pub fn encode(origin: &Origin, batches: &[Filed]) -> Vec<u8> {
    let resource_logs = batches.iter().map(|batch| {
        let observed_ns = nanoseconds(batch.ingested_ms);
        let records = batch.events().map(|(id, message)| record(id.at_ms(), observed_ns, message));
        let scope_logs = vec![ScopeLogs { scope: Some(instrumentation()), log_records: records.collect() }];
        ResourceLogs { resource: Some(resource(origin, batch)), scope_logs }
    });
    message::ExportLogsServiceRequest { resource_logs: resource_logs.collect() }.encode_to_vec()
}

/// Where the events are. Names are OpenTelemetry's: "AWS Logs" and "Function as a Service".
fn resource(origin: &Origin, batch: &Filed) -> Resource {
    let mut resource = origin.within(&batch.scope);
    let one = |name: &str| -> AnyValue { Any::Array(ArrayValue { values: vec![name.into()] }).into() };
    resource.attributes.push(attribute("aws.log.group.names", one(&batch.group)));
    resource.attributes.push(attribute("aws.log.stream.names", one(&batch.stream)));
    if let Some(function) = batch.group.strip_prefix("/aws/lambda/") {
        resource.attributes.push(attribute("faas.name", function));
    }
    resource
}

fn record(at_ms: i64, observed_ns: u64, message: &str) -> LogRecord {
    let message = message.trim_end_matches(['\n', '\r']);
    let severity_text = level(message).unwrap_or_default();
    LogRecord {
        time_unix_nano: nanoseconds(at_ms),
        observed_time_unix_nano: observed_ns,
        severity_number: severity(&severity_text),
        severity_text,
        body: Some(message.into()),
        trace_id: trace(message).map(|trace| trace.to_vec()).unwrap_or_default(),
    }
}

fn nanoseconds(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).saturating_mul(1_000_000)
}

/// Longest word that is taken for a level, bytes.
const LEVEL_BYTES_MAX: usize = 16;

/// The level that a line says it has: as JSON's `level`, as Python's runtime writes it (`[ERROR]\t…`) or as Node's does
/// (`{time}\t{request id}\tERROR\t…`).
fn level(message: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Leveled {
        #[serde(alias = "log_level", alias = "severity")]
        level: String,
    }
    let word = if message.starts_with('{') {
        serde_json::from_str::<Leveled>(message).ok()?.level
    } else if let Some(rest) = message.strip_prefix('[') {
        rest.split_once(']')?.0.to_owned()
    } else {
        message.split('\t').nth(2)?.to_owned()
    };
    (word.len() <= LEVEL_BYTES_MAX && severity(&word) > 0).then_some(word)
}

/// OpenTelemetry's number for a level; 0 for what is none.
fn severity(level: &str) -> i32 {
    let known = [
        ("TRACE", 1),
        ("DEBUG", 5),
        ("INFO", 9),
        ("WARN", 13),
        ("WARNING", 13),
        ("ERROR", 17),
        ("FATAL", 21),
        ("CRITICAL", 21),
    ];
    known.iter().find(|(name, _)| name.eq_ignore_ascii_case(level)).map_or(0, |(_, number)| *number)
}

/// The trace that a line names: `REPORT` of a recorded invocation, a structured line with `xray_trace_id`, or one with a whole
/// tracing header.
fn trace(message: &str) -> Option<[u8; 16]> {
    const ROOT_BYTES: usize = 35;
    for marker in ["XRAY TraceId: ", "\"xray_trace_id\":\"", "\"xray_trace_id\": \"", "Root="] {
        let Some(at) = memmem::find(message.as_bytes(), marker.as_bytes()) else { continue };
        let start = at + marker.len();
        let root = message.get(start..start + ROOT_BYTES)?;
        let context = Context::parse_xray(format!("Root={root}").as_bytes())?;
        return Some(context.trace.to_bytes());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_its_own_level() {
        for (line, wanted) in [
            ("{\"level\":\"ERROR\",\"message\":\"m\"}", Some("ERROR")),
            ("{\"a\":{\"level\":\"x\"},\"log_level\":\"warn\"}", Some("warn")),
            ("{\"level\":30}", None),
            ("{\"level\":\"loud\"}", None),
            ("[WARNING]\t2024-04-08T16:56:22.000Z\tid\tm", Some("WARNING")),
            ("[1, 2]", None),
            ("2024-04-08T16:56:22.000Z\tid\tINFO\tm", Some("INFO")),
            ("START RequestId: id Version: 7", None),
            ("", None),
        ] {
            assert_eq!(level(line).as_deref(), wanted, "{line}");
        }
        assert_eq!((severity("Critical"), severity("debug"), severity("")), (21, 5, 0));
    }

    #[test]
    fn a_line_may_name_its_trace() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        for line in [
            format!("REPORT RequestId: id\t\nXRAY TraceId: {root}\tSegmentId: 1\tSampled: true\t"),
            format!("{{\"xray_trace_id\":\"{root}\"}}"),
            format!("{{\"xray_trace_id\": \"{root}\", \"level\": \"INFO\"}}"),
            format!("{{\"tracing\":{{\"value\":\"Root={root};Sampled=1\"}}}}"),
        ] {
            assert_eq!(trace(&line).map(|id| id[..4].to_vec()), Some(vec![0x57, 0x59, 0xe9, 0x88]), "{line}");
        }
        for line in ["", "Root=", "XRAY TraceId: 1-5759e988", "Root=1-5759e988-bd862e3fe1be46a99427279é"] {
            assert_eq!(trace(line), None, "{line}");
        }
    }
}
