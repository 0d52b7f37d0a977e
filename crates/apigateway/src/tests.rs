//! The operations through the registry, as a caller meets them: inputs are held against the model, answers are written
//! by its protocol.

mod authorizers;
mod canary;
mod deployments;
mod documentation;
mod documents;
mod domain_names;
mod gateway_responses;
mod hostile;
mod imports;
mod integrations;
mod methods;
mod model;
mod models;
mod outputs;
mod pages;
mod resources;
mod rest_apis;
mod schemas;
mod stages;
mod tags;
mod tools;
mod trials;
mod usage_plans;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use pitbird_records::usage_plan::Throttle;
use pitbird_service::{Call, Caller, Service};
use pitbird_store::Store;
use pitbird_wire::{Catalog, Model, Protocol, Value};
use serde_json::{Value as Json, json};

use crate::State;

/// A service on a store of its own.
struct Bed {
    service: Service,
    store: Store,
    caller: Caller,
    now_ms: AtomicI64,
    _directory: tempfile::TempDir,
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

fn bad(message: impl Into<String>) -> Refusal {
    refusal(400, "BadRequestException", message)
}

fn missing(message: impl Into<String>) -> Refusal {
    refusal(404, "NotFoundException", message)
}

fn conflict(message: impl Into<String>) -> Refusal {
    refusal(409, "ConflictException", message)
}

fn unsupported(what: &str) -> Refusal {
    let message = format!("{what} is not supported by pitbird, so it is refused rather than ignored.");
    refusal(400, "ValidationException", message)
}

fn wire_model() -> &'static Model {
    Catalog::embedded().model("apigateway").expect("the model is embedded")
}

impl Bed {
    fn new() -> Bed {
        Bed::throttled(None)
    }

    /// With an account that may be called only so fast.
    fn throttled(account_throttle: Option<Throttle>) -> Bed {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a fresh store");
        let trials = Arc::new(trials::Echo);
        let state = State { store: store.clone(), entropy, trials, account_throttle };
        let service = crate::service(Arc::new(state));
        let caller = Caller::root(Default::default());
        Bed { service, store, caller, now_ms: AtomicI64::new(1_600_000_000_500), _directory: directory }
    }

    /// Calls an operation and answers status and body, as they go over the wire. Each call comes a second later.
    async fn told(&self, operation: &str, input: Json) -> Result<(u16, Json), Refusal> {
        let model = wire_model();
        let mut input = pitbird_wire::to_value(&input).expect("JSON is a value");
        blob_payload(operation, &mut input);
        let known = model.operation(operation).expect(operation);
        let violations = pitbird_wire::check(model, known, &input);
        if !violations.is_empty() {
            return Err(refusal(400, "ValidationException", pitbird_wire::summary(&violations)));
        }
        let call = Call {
            caller: self.caller.clone(),
            request_id: String::new(),
            now_ms: self.now_ms.fetch_add(1000, Ordering::Relaxed),
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
                let status = model.error(&fault.code).and_then(|shape| shape.error.as_ref()?.status);
                let fault = fault.into_told();
                refusal(fault.status.or(status).unwrap_or(0), &fault.code, fault.message)
            })?;
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

    /// An API with a mock behind `GET /`: its id and its root's.
    async fn mock_api(&self) -> (String, String) {
        let api = self.ok("CreateRestApi", json!({"name": "pets"})).await;
        let (id, root) = (text(&api["id"]), text(&api["rootResourceId"]));
        self.mock_method(&id, &root, "GET").await;
        (id, root)
    }

    async fn mock_method(&self, api: &str, resource: &str, verb: &str) {
        let at = at(api, resource, verb);
        self.ok("PutMethod", with(&at, json!({"authorizationType": "NONE"}))).await;
        let templates = json!({"application/json": "{\"statusCode\": 200}"});
        self.ok("PutIntegration", with(&at, json!({"type": "MOCK", "requestTemplates": templates}))).await;
        self.ok("PutIntegrationResponse", with(&at, json!({"statusCode": "200"}))).await;
    }

    async fn deploy(&self, api: &str, more: Json) -> String {
        text(&self.ok("CreateDeployment", with(&json!({"restApiId": api}), more)).await["id"])
    }

    async fn stage(&self, api: &str, name: &str) -> Json {
        self.ok("GetStage", json!({"restApiId": api, "stageName": name})).await
    }

    async fn patch_stage(&self, api: &str, name: &str, operations: Json) -> Result<Json, Refusal> {
        let input = json!({"restApiId": api, "stageName": name, "patchOperations": operations});
        self.run("UpdateStage", input).await
    }
}

/// A file that is imported travels as the whole body, as bytes.
fn blob_payload(operation: &str, input: &mut Value) {
    if let (true, Value::Map(members)) = (operation.starts_with("Import") || operation == "PutRestApi", input)
        && let Some((_, body)) = members.iter_mut().find(|(name, _)| name == "body")
        && let Value::String(text) = body
    {
        *body = Value::Blob(text.clone().into_bytes().into());
    }
}

/// An output as the protocol writes it; a member that the model doesn't have fails here.
fn written(operation: &str, output: Value) -> (u16, Json) {
    let model = wire_model();
    let operation = model.operation(operation).expect(operation);
    let protocol = Protocol::RestJson;
    let call = pitbird_wire::Call { model, operation, protocol, query_mode: false, labels: Vec::new() };
    let answer = call.encode(output, "id").expect("an output fits its model");
    let body = answer.body();
    let body = if body.is_empty() { Json::Null } else { serde_json::from_slice(body).expect("JSON") };
    (answer.status().as_u16(), body)
}

fn at(api: &str, resource: &str, verb: &str) -> Json {
    json!({"restApiId": api, "resourceId": resource, "httpMethod": verb})
}

/// Both objects' members.
fn with(one: &Json, other: Json) -> Json {
    let mut all = one.clone();
    let members = all.as_object_mut().expect("an object");
    members.extend(other.as_object().expect("an object").clone());
    all
}

fn text(json: &Json) -> String {
    json.as_str().expect("a text").to_owned()
}

/// `op path value`, or `copy path from`, as a patch operation.
fn patch(op: &str, path: &str, value: &str) -> Json {
    match op {
        "copy" => json!({"op": op, "path": path, "from": value}),
        "remove" => json!({"op": op, "path": path}),
        _ => json!({"op": op, "path": path, "value": value}),
    }
}
