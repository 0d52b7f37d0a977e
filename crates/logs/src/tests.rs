//! The operations through the registry, as a caller meets them: inputs are held against the model, answers are written
//! by its protocol.

mod counting;
mod definitions;
mod events;
mod exports;
mod groups;
mod insights;
mod live;
mod model;
mod policies;
mod streams;
mod subscriptions;
mod tags;
mod tools;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use pitbird_names::Scope;
use pitbird_service::{Call, Caller, Service};
use pitbird_store::Store;
use pitbird_telemetry::logs::{LogStream, Spread};
use pitbird_telemetry::{Config, Telemetry};
use pitbird_wire::{Catalog, Model, Protocol, Value};
use serde_json::{Value as Json, json};

use crate::{Delivery, Exported, State};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A service on folders of its own.
struct Bed {
    service: Service,
    state: Arc<State>,
    caller: Caller,
    /// When the test began, milliseconds since 1970.
    start_ms: i64,
    now_ms: AtomicI64,
    /// Events that were put into functions' queues.
    delivered: Arc<Mutex<Vec<Delivery>>>,
    /// Have queues no place?
    are_full: Arc<AtomicBool>,
    /// Files that were put into buckets.
    kept: Arc<Mutex<Vec<Exported>>>,
    _directory: tempfile::TempDir,
}

/// What a caller is told when a call fails: code and message. The status is always 400.
#[derive(Debug, PartialEq)]
struct Refusal {
    code: String,
    message: String,
}

fn refusal(code: &str, message: impl Into<String>) -> Refusal {
    Refusal { code: code.to_owned(), message: message.into() }
}

fn bad(message: impl Into<String>) -> Refusal {
    refusal("InvalidParameterException", message)
}

fn no_group() -> Refusal {
    refusal("ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> Refusal {
    refusal("ResourceNotFoundException", "The specified log stream does not exist.")
}

fn unsupported(what: &str) -> Refusal {
    let message = format!("{what} is not supported by pitbird, so it is refused rather than ignored.");
    refusal("ValidationException", message)
}

/// Another number each time.
fn entropy() -> u128 {
    use std::hash::{BuildHasher, RandomState};
    u128::from(RandomState::new().hash_one(0)) << 64 | u128::from(RandomState::new().hash_one(1))
}

fn wire_model() -> &'static Model {
    Catalog::embedded().model("logs").expect("the model is embedded")
}

impl Bed {
    fn new() -> Bed {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(&directory.path().join("store")).expect("a fresh store");
        let telemetry = Telemetry::open(&directory.path().join("telemetry"), &Config::default());
        let delivered: Arc<Mutex<Vec<Delivery>>> = Arc::default();
        let are_full = Arc::new(AtomicBool::new(false));
        let (deliveries, refuses) = (delivered.clone(), are_full.clone());
        let deliver = move |delivery| -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> {
            if refuses.load(Ordering::Relaxed) {
                return Box::pin(std::future::ready(Err("no place".to_owned())));
            }
            deliveries.lock().expect("no panic before").push(delivery);
            Box::pin(std::future::ready(Ok(())))
        };
        let kept: Arc<Mutex<Vec<Exported>>> = Arc::default();
        let files = kept.clone();
        let keep = move |file| -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> {
            files.lock().expect("no panic before").push(file);
            Box::pin(std::future::ready(Ok(())))
        };
        let telemetry = telemetry.expect("fresh telemetry");
        let state = Arc::new(
            State::new(store, telemetry, Arc::new(deliver), Arc::new(keep), entropy).expect("a fresh store"),
        );
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let start_ms = since.as_millis() as i64;
        Bed {
            service: crate::service(state.clone()),
            state,
            caller: Caller::root(Default::default()),
            start_ms,
            now_ms: AtomicI64::new(start_ms),
            delivered,
            are_full,
            kept,
            _directory: directory,
        }
    }

    /// The request id that the next call has.
    fn next_request(&self) -> String {
        format!("request-{}", self.now_ms.load(Ordering::Relaxed))
    }

    /// Calls an operation and answers its output as it goes over the wire. Each call comes a millisecond later.
    async fn run(&self, operation: &str, input: Json) -> Result<Json, Refusal> {
        let model = wire_model();
        let input = pitbird_wire::to_value(&input).expect("JSON is a value");
        let known = model.operation(operation).expect(operation);
        let violations = pitbird_wire::check(model, known, &input);
        if !violations.is_empty() {
            return Err(bad(pitbird_wire::summary(&violations)));
        }
        let call = Call {
            caller: self.caller.clone(),
            request_id: self.next_request(),
            now_ms: self.now_ms.fetch_add(1, Ordering::Relaxed),
            endpoint: String::new(),
            trace_id: None,
            input,
        };
        let output = self
            .service
            .call(operation, call)
            .expect(operation)
            .await
            .map(pitbird_service::Answer::into_output)
            .map_err(|fault| {
                assert!(matches!(fault.status, None | Some(400)), "{fault:?}");
                let fault = fault.into_told();
                refusal(&fault.code, fault.message)
            })?;
        Ok(written(operation, output))
    }

    /// Calls an operation that must succeed.
    async fn ok(&self, operation: &str, input: Json) -> Json {
        self.run(operation, input.clone())
            .await
            .unwrap_or_else(|refusal| panic!("{operation} {input}: {refusal:?}"))
    }

    /// Calls an operation that must be refused.
    async fn refused(&self, operation: &str, input: Json) -> Refusal {
        match self.run(operation, input.clone()).await {
            Ok(output) => panic!("{operation} {input} was not refused: {output}"),
            Err(refusal) => refusal,
        }
    }

    async fn group(&self, name: &str) {
        self.ok("CreateLogGroup", json!({"logGroupName": name})).await;
    }

    async fn stream(&self, group: &str, stream: &str) {
        self.ok("CreateLogStream", json!({"logGroupName": group, "logStreamName": stream})).await;
    }

    /// Puts messages with the times that are given as milliseconds after the test's start.
    async fn put(&self, group: &str, stream: &str, events: &[(i64, &str)]) -> Json {
        let event =
            |(after, message): &(i64, &str)| json!({"timestamp": self.start_ms + after, "message": message});
        let events: Vec<Json> = events.iter().map(event).collect();
        let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
        self.ok("PutLogEvents", input).await
    }

    /// A stream as the data plane has it.
    fn written_to(&self, group: &str, stream: &str) -> Arc<LogStream> {
        self.state.telemetry.log_stream(&Scope::default(), group, stream, Spread::One)
    }
}

/// An output as the protocol writes it; a member that the model doesn't have fails here.
fn written(operation: &str, output: Value) -> Json {
    let model = wire_model();
    let operation = model.operation(operation).expect(operation);
    let protocol = Protocol::Json11;
    let call = pitbird_wire::Call { model, operation, protocol, query_mode: false, labels: Vec::new() };
    let answer = call.encode(output, "id").expect("an output fits its model");
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// The members of a list's items, one name.
fn column(list: &Json, member: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[member].as_str().expect("a text").to_owned()).collect()
}
