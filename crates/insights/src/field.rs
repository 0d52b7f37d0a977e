//! Fields that nobody has computed: what every event has, what is found in Lambda's lines and in JSON.

use crate::event::Event;
use crate::value::{Print, Value};

/// Where a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// An earlier command.
    Computed,
    Timestamp,
    IngestionTime,
    Message,
    LogStream,
    Log,
    Pointer,
    Lambda(LambdaField),
    /// A path in a JSON message.
    Json,
    /// A name with an at sign that no event has.
    Nothing,
}

/// What is found in the lines of a Lambda function. Source: AWS, discovered fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LambdaField {
    RequestId,
    Kind,
    Duration,
    BilledDuration,
    InitDuration,
    MemorySize,
    MaxMemoryUsed,
    TraceId,
    SegmentId,
}

pub(crate) const LAMBDA_FIELDS: &[(&str, LambdaField)] = &[
    ("@requestId", LambdaField::RequestId),
    ("@type", LambdaField::Kind),
    ("@duration", LambdaField::Duration),
    ("@billedDuration", LambdaField::BilledDuration),
    ("@initDuration", LambdaField::InitDuration),
    ("@memorySize", LambdaField::MemorySize),
    ("@maxMemoryUsed", LambdaField::MaxMemoryUsed),
    ("@xrayTraceId", LambdaField::TraceId),
    ("@xraySegmentId", LambdaField::SegmentId),
];

impl Source {
    /// What a name means on an event as it came.
    pub fn of(name: &str) -> Source {
        match name {
            "@timestamp" => Source::Timestamp,
            "@ingestionTime" => Source::IngestionTime,
            "@message" => Source::Message,
            "@logStream" => Source::LogStream,
            "@log" => Source::Log,
            "@ptr" => Source::Pointer,
            _ if name.starts_with("@@") => Source::Json,
            _ if name.starts_with('@') => {
                let found = LAMBDA_FIELDS.iter().find(|(known, _)| *known == name);
                found.map_or(Source::Nothing, |(_, field)| Source::Lambda(*field))
            }
            _ => Source::Json,
        }
    }

    /// The value on an event; not for what is computed or in JSON.
    pub fn read<'e>(self, event: &Event<'e>) -> Option<Value<'e>> {
        match self {
            Source::Timestamp => Some(Value::Time(event.at_ms)),
            Source::IngestionTime => Some(Value::Time(event.ingested_ms)),
            Source::Message => Some(Value::text_of(event.message)),
            Source::LogStream => Some(Value::text_of(event.stream)),
            Source::Log => Some(Value::text_of(event.log)),
            Source::Pointer => Some(Value::Text(event.pointer.to_string().into())),
            Source::Lambda(field) if is_lambda(event) => lambda(field, event.message),
            Source::Lambda(_) | Source::Computed | Source::Json | Source::Nothing => None,
        }
    }
}

/// Is the event of a Lambda function's group?
pub(crate) fn is_lambda(event: &Event<'_>) -> bool {
    event.log.split_once(':').is_some_and(|(_, group)| group.starts_with("/aws/lambda/"))
}

fn lambda(field: LambdaField, line: &str) -> Option<Value<'_>> {
    let kind = ["START", "END", "REPORT"]
        .into_iter()
        .find(|kind| line.strip_prefix(kind).is_some_and(|rest| rest.starts_with(" RequestId: ")));
    match field {
        LambdaField::Kind => {
            let is_init = line.starts_with("INIT_START ");
            kind.or(is_init.then_some("INIT_START")).map(Value::text_of)
        }
        LambdaField::RequestId => match kind {
            Some(kind) => line[kind.len() + 12..].split_ascii_whitespace().next().map(Value::text_of),
            // What the runtimes' loggers write: `2025-…Z\t{id}\tINFO\t…`, `[INFO]\t2025-…Z\t{id}\t…`.
            None => line.split('\t').take(3).find(|part| is_uuid(part)).map(Value::text_of),
        },
        _ if kind != Some("REPORT") => None,
        LambdaField::Duration => figure(line, "Duration: ", 1.0),
        LambdaField::BilledDuration => figure(line, "Billed Duration: ", 1.0),
        LambdaField::InitDuration => figure(line, "Init Duration: ", 1.0),
        LambdaField::MemorySize => figure(line, "Memory Size: ", 1e6),
        LambdaField::MaxMemoryUsed => figure(line, "Max Memory Used: ", 1e6),
        LambdaField::TraceId => part(line, "XRAY TraceId: ").map(Value::text_of),
        LambdaField::SegmentId => part(line, "SegmentId: ").map(Value::text_of),
    }
}

/// What follows a label at the start of one of a report's parts.
fn part<'e>(line: &'e str, label: &str) -> Option<&'e str> {
    let parts = line.split(['\t', '\n']);
    // The first part is `REPORT RequestId: {id}`, with the duration in the same one in old formats.
    parts.filter_map(|part| part.trim().strip_prefix(label)).map(str::trim_end).next()
}

fn figure(line: &str, label: &str, unit: f64) -> Option<Value<'static>> {
    let number: f64 = part(line, label)?.split(' ').next()?.parse().ok()?;
    Some(Value::Found(number * unit, Print::Java))
}

pub(crate) fn is_uuid(text: &str) -> bool {
    let dash = |place: usize| matches!(place, 8 | 13 | 18 | 23);
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(place, b)| if dash(place) { b == b'-' } else { b.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> Event<'_> {
        Event { log: "0:/aws/lambda/f", stream: "s", at_ms: 0, ingested_ms: 1, id: 1, pointer: &1, message }
    }

    const ID: &str = "8f507cfc-1f0e-4dcc-9c5b-0123456789ab";

    #[test]
    fn a_report_has_figures() {
        let line = format!(
            "REPORT RequestId: {ID}\tDuration: 103.55 ms\tBilled Duration: 104 ms\tMemory Size: 128 MB\t\
             Max Memory Used: 40 MB\tInit Duration: 200.10 ms\t\nXRAY TraceId: 1-5f\tSegmentId: 4f\tSampled: true\n"
        );
        for (name, value) in [
            ("@requestId", ID),
            ("@type", "REPORT"),
            ("@duration", "103.55"),
            ("@billedDuration", "104.0"),
            ("@initDuration", "200.1"),
            ("@memorySize", "1.28E8"),
            ("@maxMemoryUsed", "4.0E7"),
            ("@xrayTraceId", "1-5f"),
            ("@xraySegmentId", "4f"),
        ] {
            let found = Source::of(name).read(&event(&line));
            assert_eq!(found.map(Value::into_text).as_deref(), Some(value), "{name}");
            let other = Event { log: "0:plain", ..event(&line) };
            assert_eq!(Source::of(name).read(&other), None, "{name}");
        }
    }

    #[test]
    fn other_lines_have_their_id() {
        let found = |line: &str, name| Source::of(name).read(&event(line)).map(Value::into_owned);
        let start = format!("START RequestId: {ID} Version: $LATEST\n");
        assert_eq!(found(&start, "@requestId"), Some(Value::text_of(ID)));
        assert_eq!(found(&start, "@type"), Some(Value::text_of("START")));
        assert_eq!(found(&start, "@duration"), None);
        let line = format!("[INFO]\t2025-11-28T10:00:00.000Z\t{ID}\tall is well");
        assert_eq!((found(&line, "@requestId"), found(&line, "@type")), (Some(Value::text_of(ID)), None));
        assert_eq!(found("STARTED RequestId: x", "@type"), None);
    }
}
