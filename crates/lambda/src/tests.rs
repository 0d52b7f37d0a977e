//! The operations through the registry, as a caller meets them: inputs are held against the model, answers are written
//! by its protocol.

mod aliases;
mod concurrency;
mod event_invoke_configs;
mod event_sources;
mod functions;
mod invocations;
mod layers;
mod lists;
mod locations;
mod model;
mod outputs;
mod permissions;
mod provisioned;
mod reads;
mod restarts;
mod sources;
mod tags;
mod updates;
mod urls;
mod versions;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pitbird_invoke::{Event, Invocation, Outcome, Provisioned, Refused, Unqueued};
use pitbird_names::{Account, Qualifier};
use pitbird_records::role::{Role, TrustStatement};
use pitbird_service::{Call, Caller, Fault, Service};
use pitbird_snapshot::{Function, Version};
use pitbird_store::Store;
use pitbird_wire::{Catalog, Model, Protocol, Value};
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;

use crate::{Answer, Error, Run, State};

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
/// Of every call.
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const ROLE: &str = "arn:aws:iam::000000000000:role/runner";

/// A service on a store of its own, whose functions run nowhere.
struct Bed {
    service: Service,
    state: Arc<State>,
    store: Store,
    stand: Arc<Stand>,
    caller: Caller,
    now_ms: AtomicI64,
    directory: tempfile::TempDir,
}

/// Takes the place of what runs functions.
struct Stand {
    /// Each preparation takes one.
    preparations: Semaphore,
    /// What becomes of preparations.
    unready: Mutex<Option<Refused>>,
    /// What becomes of invocations.
    outcome: Mutex<Result<Outcome, Refused>>,
    /// How it stands with what is to be kept ready.
    provisioned: Mutex<Provisioned>,
    /// What becomes of the next event.
    unqueued: Mutex<Option<Unqueued>>,
    /// What was invoked or enqueued, the latest last.
    seen: Mutex<Vec<Seen>>,
}

#[derive(Debug, Clone)]
struct Seen {
    is_event: bool,
    function: String,
    qualifier: Option<String>,
    draw: f64,
    invocation: Invocation,
}

impl Run for Stand {
    fn check(&self, zip: &[u8]) -> Result<u64, Error> {
        match zip {
            b"empty" => Err(Error::EmptyZip),
            b"bad" => Err(Error::BadZip),
            b"bomb" => Err(Error::UnzippedSize),
            b"large" => Ok(150_000_000),
            _ => Ok(1000),
        }
    }

    fn admit<'a>(&'a self, _: &'a str, zip: Bytes) -> Answer<'a, Result<u64, Error>> {
        Box::pin(async move { self.check(&zip) })
    }

    fn prepare<'a>(&'a self, _: &'a Version) -> Answer<'a, Result<(), Refused>> {
        Box::pin(async {
            self.preparations.acquire().await.expect("it stays open").forget();
            self.unready.lock().expect("nobody panics").clone().map_or(Ok(()), Err)
        })
    }

    fn invoke<'a>(
        &'a self,
        function: &'a Function,
        qualifier: Option<&'a Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Answer<'a, Result<Outcome, Refused>> {
        let qualifier = qualifier.map(Qualifier::to_string);
        let seen = Seen { is_event: false, function: function.name.clone(), qualifier, draw, invocation };
        self.seen.lock().expect("nobody panics").push(seen);
        Box::pin(async { self.outcome.lock().expect("nobody panics").clone() })
    }

    fn invoke_streaming<'a>(
        &'a self,
        function: &'a Function,
        qualifier: Option<&'a Qualifier>,
        draw: f64,
        invocation: Invocation,
    ) -> Answer<'a, Result<pitbird_invoke::Answer, Refused>> {
        let answer = self.invoke(function, qualifier, draw, invocation);
        Box::pin(async { answer.await.map(pitbird_invoke::Answer::Whole) })
    }

    fn provisioned(&self, _: &Function, _: &Qualifier) -> Provisioned {
        *self.provisioned.lock().expect("nobody panics")
    }

    fn enqueue(&self, event: Event) -> Answer<'_, Result<(), Unqueued>> {
        let Event { function, qualifier, invocation, .. } = event;
        let qualifier = qualifier.as_ref().map(Qualifier::to_string);
        let seen = Seen { is_event: true, function, qualifier, draw: 0.0, invocation };
        self.seen.lock().expect("nobody panics").push(seen);
        let unqueued = self.unqueued.lock().expect("nobody panics").take();
        Box::pin(async { unqueued.map_or(Ok(()), Err) })
    }
}

/// What a caller is told when a call fails.
#[derive(Debug, PartialEq)]
struct Refusal {
    status: u16,
    code: String,
    message: String,
}

/// Different bits each time, the same in each run.
fn entropy() -> u128 {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let drawn = u128::from(DRAWN.fetch_add(1, Ordering::Relaxed));
    drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn refusal(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal { status, code: code.to_owned(), message: message.into() }
}

fn invalid(message: impl Into<String>) -> Refusal {
    refusal(400, "InvalidParameterValueException", message)
}

fn missing(message: impl Into<String>) -> Refusal {
    refusal(404, "ResourceNotFoundException", message)
}

fn conflict(message: impl Into<String>) -> Refusal {
    refusal(409, "ResourceConflictException", message)
}

fn stale(operation: &str) -> Refusal {
    let message = format!(
        "The Revision Id provided does not match the latest Revision Id. Call the {operation} API to retrieve the \
         latest Revision Id"
    );
    refusal(412, "PreconditionFailedException", message)
}

fn unsupported(what: &str) -> Refusal {
    let message = format!("{what} is not supported by pitbird, so it is refused rather than ignored.");
    refusal(400, "ValidationException", message)
}

fn busy() -> Refusal {
    conflict(format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {ARN}"
    ))
}

fn role(name: &str, service: &str) -> Role {
    let trust = TrustStatement {
        is_allow: true,
        actions: vec!["sts:AssumeRole".to_owned()],
        services: vec![service.to_owned()],
        aws: Vec::new(),
        conditions: Default::default(),
    };
    Role {
        account: Account::default(),
        path: "/".to_owned(),
        name: name.to_owned(),
        id: "AROAAAAAAAAAAAAAAAAAA".to_owned(),
        description: None,
        created_ms: 0,
        trust_document: String::new(),
        trust: vec![trust],
        session_s_max: 3600,
        permissions_boundary: None,
        tags: Default::default(),
        policies: Default::default(),
        attached: Vec::new(),
    }
}

fn wire_model() -> &'static Model {
    Catalog::embedded().model("lambda").expect("the model is embedded")
}

impl Bed {
    /// A service whose functions are prepared at once.
    async fn new() -> Bed {
        Bed::preparing(Semaphore::MAX_PERMITS).await
    }

    /// A service that prepares this many functions' code, and no more until it is let.
    async fn preparing(preparations: usize) -> Bed {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a fresh store");
        let add_roles = |tx: &mut pitbird_store::Transaction<'_>| {
            tx.put(&role("runner", "lambda.amazonaws.com"))?;
            tx.put(&role("walker", "lambda.amazonaws.com"))?;
            tx.put(&role("deployer", "codedeploy.amazonaws.com"))
        };
        store.write(add_roles).await.expect("roles");
        Bed::on(store, directory, preparations)
    }

    fn on(store: Store, directory: tempfile::TempDir, preparations: usize) -> Bed {
        let preparations = Semaphore::new(preparations);
        let outcome = Outcome {
            payload: Bytes::from_static(b"{\"ok\":true}"),
            function_error: None,
            error_type: None,
            executed_version: pitbird_names::VersionId::Latest,
            log_tail: None,
            duration_ms: 1.0,
            billed_ms: 1,
            billed: Default::default(),
            init_ms: None,
            environment: 1,
        };
        let stand = Arc::new(Stand {
            preparations,
            unready: Mutex::default(),
            outcome: Mutex::new(Ok(outcome)),
            provisioned: Mutex::default(),
            unqueued: Mutex::default(),
            seen: Mutex::default(),
        });
        let state = State::new(store.clone(), stand.clone(), entropy).expect("a readable store");
        let state = Arc::new(state);
        let service = crate::service(state.clone());
        let caller = Caller::root(Default::default());
        Bed { service, state, store, stand, caller, now_ms: AtomicI64::new(1_764_037_614_000), directory }
    }

    /// Calls an operation and answers status and body, as they go over the wire.
    async fn told(&self, operation: &str, input: Json) -> Result<(u16, Json), Refusal> {
        let answer = self.answer(operation, input).await.map_err(|fault| {
            let mut wire = pitbird_wire::Fault::new(fault.code.clone(), fault.message.clone());
            wire.status = fault.status;
            let form = wire.form(Some(wire_model()));
            refusal(form.status, form.name, wire.message.clone())
        })?;
        let body = answer.body();
        let body = if body.is_empty() { Json::Null } else { serde_json::from_slice(body).expect("JSON") };
        Ok((answer.status().as_u16(), body))
    }

    /// Calls an operation. Each call comes a second later.
    async fn answer(&self, operation: &str, input: Json) -> Result<http::Response<Bytes>, Fault> {
        let model = wire_model();
        let input = with_blobs(pitbird_wire::to_value(&input).expect("JSON is a value"));
        let known = model.operation(operation).expect(operation);
        let violations = pitbird_wire::check(model, known, &input);
        if !violations.is_empty() {
            let message = pitbird_wire::summary(&violations);
            return Err(Fault::new("ValidationException", message).with_status(400));
        }
        let call = Call {
            caller: self.caller.clone(),
            request_id: "8f0d2a4b-0000-4000-8000-000000000000".to_owned(),
            now_ms: self.now_ms.fetch_add(1000, Ordering::Relaxed),
            endpoint: "http://localhost:4566".to_owned(),
            trace_id: Some(TRACE.to_owned()),
            input,
        };
        let output = self.service.call(operation, call).expect(operation).await?.into_output();
        Ok(written(operation, output))
    }

    async fn run(&self, operation: &str, input: Json) -> Result<Json, Refusal> {
        Ok(self.told(operation, input).await?.1)
    }

    /// Calls an operation that must succeed.
    async fn ok(&self, operation: &str, input: Json) -> Json {
        self.run(operation, input.clone())
            .await
            .unwrap_or_else(|refusal| panic!("{operation} {input}: {refusal:?}"))
    }

    /// Calls an operation that must be refused.
    async fn refused(&self, operation: &str, input: Json) -> Refusal {
        let answer = self.run(operation, input.clone()).await;
        answer.err().unwrap_or_else(|| panic!("{operation} {input} was not refused"))
    }

    /// A function that is active.
    async fn create(&self, name: &str) -> Json {
        self.ok("CreateFunction", function(name)).await;
        self.state.finish().await;
        self.ok("GetFunctionConfiguration", json!({"FunctionName": name})).await
    }

    /// New code for the function `f`, published: the version's number.
    async fn publish(&self, code: &str) -> String {
        self.ok("UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip(code)})).await;
        self.state.finish().await;
        text(&self.ok("PublishVersion", json!({"FunctionName": "f"})).await["Version"])
    }

    async fn configuration(&self, qualifier: &str) -> Json {
        self.ok("GetFunctionConfiguration", json!({"FunctionName": "f", "Qualifier": qualifier})).await
    }

    /// What the data plane would run as `$LATEST`.
    fn served(&self) -> pitbird_records::FunctionVersion {
        let snapshot = self.store.snapshot();
        let key = pitbird_snapshot::FunctionKey { scope: Default::default(), name: "f".to_owned() };
        let function = snapshot.function(&key).expect("the function");
        function.resolve(None, 0.0).expect("it has $LATEST").version.record.clone()
    }
}

/// An output as the protocol writes it; a member that the model doesn't have fails here.
fn written(operation: &str, output: Value) -> http::Response<Bytes> {
    let model = wire_model();
    let operation = model.operation(operation).expect(operation);
    let protocol = Protocol::RestJson;
    let call = pitbird_wire::Call { model, operation, protocol, query_mode: false, labels: Vec::new() };
    call.encode(output, "id").expect("an output fits its model")
}

/// The input as the protocol reads it: blobs are no texts.
fn with_blobs(value: Value) -> Value {
    let Value::Map(members) = value else { return value };
    let member = |(name, value): (pitbird_wire::Key, Value)| match (name.as_ref(), value) {
        ("ZipFile", Value::String(text)) => {
            (name, Value::Blob(STANDARD.decode(text).expect("base64").into()))
        }
        ("Payload" | "InvokeArgs", Value::String(text)) => (name, Value::Blob(text.into())),
        (_, value) => (name, with_blobs(value)),
    };
    Value::Map(members.into_iter().map(member).collect())
}

fn zip(content: &str) -> String {
    STANDARD.encode(content)
}

/// The input that makes a function.
fn function(name: &str) -> Json {
    json!({
        "FunctionName": name,
        "Role": ROLE,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Code": {"ZipFile": zip("one")},
    })
}

/// Both objects' members; `null` takes one out.
fn with(one: Json, other: Json) -> Json {
    let mut all = one;
    let members = all.as_object_mut().expect("an object");
    members.extend(other.as_object().expect("an object").clone());
    members.retain(|_, member| !member.is_null());
    all
}

fn text(json: &Json) -> String {
    json.as_str().expect("a text").to_owned()
}
