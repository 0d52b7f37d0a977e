//! The platform's own lines in a function's log, in Lambda's text format or as JSON.

use pitbird_names::VersionId;
use pitbird_records::function::Logging;
use pitbird_trace::{Context, SpanId, TraceId};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::fault::Status;
use crate::telemetry_api::Api;
use crate::telemetry_api::subscription::Kind;

/// How much a line matters, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    /// Reads a level in any case; `None` when it is none.
    pub fn parse(text: &str) -> Option<Level> {
        let levels = [
            ("TRACE", Level::Trace),
            ("DEBUG", Level::Debug),
            ("INFO", Level::Info),
            ("WARN", Level::Warn),
            ("WARNING", Level::Warn),
            ("ERROR", Level::Error),
            ("FATAL", Level::Fatal),
            ("CRITICAL", Level::Fatal),
        ];
        levels.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, level)| level)
    }
}

/// What a function's log is to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    /// With the least level of the platform's lines and of the function's own.
    Json {
        system: Level,
        application: Level,
    },
}

impl Form {
    pub fn of(logging: &Logging) -> Form {
        if logging.format != "JSON" {
            return Form::Text;
        }
        let level = |text: &Option<String>| text.as_deref().and_then(Level::parse).unwrap_or(Level::Info);
        Form::Json { system: level(&logging.system_level), application: level(&logging.application_level) }
    }
}

/// One line of the platform's. Shown, it is the text format's; some have none.
#[derive(Debug, Clone)]
pub enum Line<'a> {
    /// The first line of every environment.
    InitStart {
        runtime: &'a str,
        runtime_arn: &'a str,
        function: &'a str,
        version: VersionId,
        is_provisioned: bool,
        /// It runs again inside an invocation.
        is_retry: bool,
    },
    /// The runtime is done with the initialisation. Only extensions are told.
    InitRuntimeDone {
        is_retry: bool,
        is_provisioned: bool,
        status: &'a Status,
    },
    /// An initialisation that failed, or that of an environment which is kept ready; of any other that went well only extensions are
    /// told. `is_retry` says that it ran again inside an invocation.
    InitReport {
        init_ms: f64,
        is_retry: bool,
        is_provisioned: bool,
        status: Status,
    },
    Start {
        request_id: &'a str,
        version: VersionId,
        /// Where extensions may want to know.
        trace: Option<&'a str>,
    },
    /// The runtime is done with an invocation.
    End {
        request_id: &'a str,
        duration_ms: f64,
        produced_bytes: usize,
        status: &'a Status,
        trace: Option<&'a str>,
        spans: &'a [Span],
    },
    Report(Report<'a>),
    /// What the platform says of a failure.
    Words {
        request_id: &'a str,
        words: &'a str,
    },
    /// How an extension stands when the start is over, or has failed.
    Extension {
        name: &'a str,
        state: &'static str,
        events: Vec<&'static str>,
        error_type: Option<&'static str>,
    },
    /// An extension has subscribed to telemetry.
    Subscription {
        api: Api,
        name: &'a str,
        kinds: &'a [Kind],
    },
    /// A function wrote more than is kept.
    Dropped {
        bytes: u64,
        lines: u64,
        limit_bytes: u64,
    },
}

/// A part of an invocation's time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub name: &'static str,
    pub start_ms: i64,
    pub duration_ms: f64,
}

/// What is told of one invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<'a> {
    pub request_id: &'a str,
    pub duration_ms: f64,
    pub billed_ms: u64,
    pub memory_mib: u32,
    pub memory_peak_mib: u64,
    /// Only of the environment's first invocation.
    pub init_ms: Option<f64>,
    pub status: &'a Status,
    pub trace: Option<&'a str>,
    /// Where its trace is recorded.
    pub segment: Option<Segment>,
}

/// An invocation's part of a recorded trace, in X-Ray's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub trace: TraceId,
    pub id: SpanId,
}

impl Line<'_> {
    /// The line as JSON with its line break; `None` when the level asks for more. Source: Lambda developer guide, "Log-level
    /// filtering", and the Telemetry API's event schema.
    pub fn json(&self, now_ms: i64, least: Level) -> Option<String> {
        let (level, object) = self.event(now_ms);
        (level >= least).then(|| format!("{object}\n"))
    }

    /// The line as an event, and how much it matters.
    pub fn event(&self, now_ms: i64) -> (Level, Value) {
        match self {
            Line::InitStart { runtime, runtime_arn, function, version, is_provisioned, is_retry } => (
                Level::Info,
                event(
                    now_ms,
                    "initStart",
                    json!({
                        "initializationType": initialization(*is_provisioned), "phase": phase(*is_retry), "runtimeVersion": runtime,
                        "runtimeVersionArn": runtime_arn, "functionName": function, "functionVersion": version.to_string(),
                    }),
                ),
            ),
            Line::InitRuntimeDone { is_retry, is_provisioned, status } => (
                level_of(status, Level::Debug),
                event(
                    now_ms,
                    "initRuntimeDone",
                    with_status(
                        status,
                        json!({ "initializationType": initialization(*is_provisioned), "phase": phase(*is_retry) }),
                    ),
                ),
            ),
            Line::InitReport { init_ms, is_retry, is_provisioned, status } => (
                level_of(status, if *is_provisioned { Level::Info } else { Level::Debug }),
                event(
                    now_ms,
                    "initReport",
                    with_status(
                        status,
                        json!({
                            "initializationType": initialization(*is_provisioned),
                            "phase": phase(*is_retry), "metrics": { "durationMs": rounded(*init_ms) },
                        }),
                    ),
                ),
            ),
            Line::Start { request_id, version, trace } => {
                let record = json!({ "requestId": request_id, "version": version.to_string() });
                (Level::Info, event(now_ms, "start", with_trace(*trace, record)))
            }
            Line::End { request_id, duration_ms, produced_bytes, status, trace, spans } => {
                let mut record = json!({
                    "requestId": request_id,
                    "metrics": { "durationMs": rounded(*duration_ms), "producedBytes": produced_bytes },
                });
                if !spans.is_empty() {
                    record["spans"] = spans.iter().map(Span::json).collect();
                }
                let record = with_status(status, with_trace(*trace, record));
                (level_of(status, Level::Debug), event(now_ms, "runtimeDone", record))
            }
            Line::Report(report) => {
                (level_of(report.status, Level::Info), event(now_ms, "report", report.json()))
            }
            Line::Words { request_id, words } => (
                Level::Error,
                json!({
                    "timestamp": instant(now_ms), "level": "ERROR", "requestId": request_id,
                    "message": words.trim_end(),
                }),
            ),
            Line::Extension { name, state, events, error_type } => {
                let mut record = json!({ "name": name, "state": state, "events": events });
                if let Some(error_type) = error_type {
                    record["errorType"] = json!(error_type);
                }
                let level = if error_type.is_some() { Level::Warn } else { Level::Info };
                (level, event(now_ms, "extension", record))
            }
            Line::Subscription { api, name, kinds } => {
                let types: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                let record = json!({ "name": name, "state": "Subscribed", "types": types });
                let name = if *api == Api::Logs { "logsSubscription" } else { "telemetrySubscription" };
                (Level::Info, event(now_ms, name, record))
            }
            Line::Dropped { bytes, lines, limit_bytes } => (
                Level::Warn,
                event(
                    now_ms,
                    "logsDropped",
                    json!({
                        "droppedBytes": bytes, "droppedRecords": lines,
                        "reason": format!("the function wrote more than {limit_bytes} bytes within a second"),
                    }),
                ),
            ),
        }
    }
}

impl Span {
    fn json(&self) -> Value {
        json!({ "name": self.name, "start": instant(self.start_ms), "durationMs": rounded(self.duration_ms) })
    }
}

impl Report<'_> {
    fn json(&self) -> Value {
        let mut metrics = json!({
            "durationMs": rounded(self.duration_ms), "billedDurationMs": self.billed_ms,
            "memorySizeMB": self.memory_mib, "maxMemoryUsedMB": self.memory_peak_mib,
        });
        if let Some(init_ms) = self.init_ms {
            metrics["initDurationMs"] = json!(rounded(init_ms));
        }
        let record = json!({ "requestId": self.request_id, "metrics": metrics });
        with_status(self.status, with_trace(self.trace, record))
    }
}

fn event(now_ms: i64, name: &str, record: Value) -> Value {
    json!({ "time": instant(now_ms), "type": format!("platform.{name}"), "record": record })
}

fn with_status(status: &Status, mut record: Value) -> Value {
    let (name, error_type) = match status {
        Status::Ended => ("success", None),
        Status::Timeout => ("timeout", None),
        Status::Error { error_type } => ("error", Some(error_type)),
    };
    record["status"] = json!(name);
    if let Some(error_type) = error_type {
        record["errorType"] = json!(error_type);
    }
    record
}

fn with_trace(trace: Option<&str>, mut record: Value) -> Value {
    if let Some(trace) = trace {
        record["tracing"] = json!({ "type": "X-Amzn-Trace-Id", "value": trace });
    }
    record
}

fn phase(is_retry: bool) -> &'static str {
    if is_retry { "invoke" } else { "init" }
}

/// What went wrong is a warning, whatever it is else.
fn level_of(status: &Status, else_level: Level) -> Level {
    if *status == Status::Ended { else_level } else { Level::Warn }
}

/// Milliseconds to the third place.
fn rounded(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}

fn initialization(is_provisioned: bool) -> &'static str {
    if is_provisioned { "provisioned-concurrency" } else { "on-demand" }
}

impl Line<'_> {
    /// The line in the text format; empty where that has none.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// Appends the line in the text format. Those that every invocation has are put together by hand: a formatter costs several
    /// times as much.
    pub fn write(&self, out: &mut String) {
        match self {
            Line::InitStart { runtime, runtime_arn, .. } => {
                push(
                    out,
                    &["INIT_START Runtime Version: ", runtime, "\tRuntime Version ARN: ", runtime_arn, "\n"],
                );
            }
            Line::InitReport { init_ms, is_retry, status, .. } => {
                push(out, &["INIT_REPORT Init Duration: "]);
                push_hundredths(out, *init_ms);
                out.push_str(" ms");
                let phase = phase(*is_retry);
                match status {
                    Status::Ended => {}
                    Status::Timeout => push(out, &["\tPhase: ", phase, "\tStatus: timeout"]),
                    Status::Error { error_type } => {
                        push(out, &["\tPhase: ", phase, "\tStatus: error\tError Type: ", error_type]);
                    }
                }
                out.push('\n');
            }
            // Not in the log.
            Line::InitRuntimeDone { .. } => {}
            Line::Subscription { api, name, kinds } => {
                let api = if *api == Api::Logs { "LOGS" } else { "TELEMETRY" };
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
                let kinds = kinds.join(", ");
                push(out, &[api, "\tName: ", name, "\tState: Subscribed\tTypes: [", &kinds, "]\n"]);
            }
            Line::Start { request_id, version, .. } => {
                push(out, &["START RequestId: ", request_id, " Version: "]);
                match version {
                    VersionId::Latest => out.push_str("$LATEST"),
                    VersionId::Number(number) => push_number(out, *number),
                }
                out.push('\n');
            }
            Line::End { request_id, .. } => push(out, &["END RequestId: ", request_id, "\n"]),
            Line::Report(report) => report.write(out),
            Line::Words { words, .. } => out.push_str(words),
            Line::Extension { name, state, events, error_type } => {
                let events = events.join(",");
                push(out, &["EXTENSION\tName: ", name, "\tState: ", state, "\tEvents: [", &events, "]"]);
                if let Some(error_type) = error_type {
                    push(out, &["\tError Type: ", error_type]);
                }
                out.push('\n');
            }
            Line::Dropped { bytes, limit_bytes, .. } => {
                out.push_str("LOGS_DROPPED ");
                push_number(out, *bytes);
                out.push_str(" bytes: the function wrote more than ");
                push_number(out, *limit_bytes);
                out.push_str(" bytes within a second\n");
            }
        }
    }
}

impl Report<'_> {
    fn write(&self, out: &mut String) {
        push(out, &["REPORT RequestId: ", self.request_id, "\tDuration: "]);
        push_hundredths(out, self.duration_ms);
        out.push_str(" ms\tBilled Duration: ");
        push_number(out, self.billed_ms);
        out.push_str(" ms\tMemory Size: ");
        push_number(out, self.memory_mib.into());
        out.push_str(" MB\tMax Memory Used: ");
        push_number(out, self.memory_peak_mib);
        out.push_str(" MB\t");
        if let Some(init_ms) = self.init_ms {
            out.push_str("Init Duration: ");
            push_hundredths(out, init_ms);
            out.push_str(" ms\t");
        }
        match self.status {
            Status::Ended => {}
            Status::Timeout => out.push_str("Status: timeout"),
            Status::Error { error_type } => push(out, &["Status: error\tError Type: ", error_type]),
        }
        if let Some(Segment { trace, id }) = self.segment {
            let root = Context { trace, parent: None, is_sampled: None }.root();
            let id = id.to_string();
            push(out, &["\nXRAY TraceId: ", &root, "\tSegmentId: ", &id, "\tSampled: true\t"]);
        }
        out.push('\n');
    }
}

fn push(out: &mut String, pieces: &[&str]) {
    pieces.iter().for_each(|piece| out.push_str(piece));
}

fn push_number(out: &mut String, number: u64) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Milliseconds with two places.
fn push_hundredths(out: &mut String, ms: f64) {
    let hundredths = (ms * 100.0).round() as u64;
    push_number(out, hundredths / 100);
    let digit = |number: u64| char::from(b'0' + (number % 10) as u8);
    out.extend(['.', digit(hundredths / 10), digit(hundredths)]);
}

/// What stands in the log when a function's time is over.
pub fn timed_out(at_ms: i64, request_id: &str, timeout_s: u32) -> String {
    format!("{} {request_id} Task timed out after {timeout_s}.00 seconds\n\n", instant(at_ms))
}

/// The log stream of an environment: `2026/11/23/[$LATEST]0123456789abcdef0123456789abcdef`; with a group of the
/// user's own, the function's name stands before the version.
pub fn stream(at_ms: i64, function: &str, is_own_group: bool, version: VersionId, entropy: u128) -> String {
    let at = moment(at_ms);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let name = if is_own_group { function } else { "" };
    format!("{year:04}/{month:02}/{day:02}/{name}[{version}]{entropy:032x}")
}

pub fn instant(at_ms: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    moment(at_ms).format(form).expect("a time has all of its parts")
}

fn moment(at_ms: i64) -> OffsetDateTime {
    let nanos = i128::from(at_ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
