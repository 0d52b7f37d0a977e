//! The operations through the registry, as a caller meets them: inputs are held against the model, answers are written
//! by its protocol.

mod apis;
mod authorizers;
mod deployments;
mod documents;
mod domain_names;
mod hostile;
mod imports;
mod model;
mod outputs;
mod routes;
mod routing_rules;
mod stages;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use pitbird_records::{RestApi, Stage, Texts};
use pitbird_service::{Call, Caller, Service};
use pitbird_store::{Store, Transaction};
use pitbird_wire::{Catalog, Model, Protocol, Value};
use serde_json::{Value as Json, json};

use crate::State;

const CERTIFICATE: &str = "arn:aws:acm:us-east-1:000000000000:certificate/a";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

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

fn unsupported(what: &str) -> Refusal {
    let message = format!("{what} is not supported by pitbird, so it is refused rather than ignored.");
    refusal(400, "ValidationException", message)
}

fn wire_model() -> &'static Model {
    Catalog::embedded().model("apigatewayv2").expect("the model is embedded")
}

impl Bed {
    fn new() -> Bed {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a fresh store");
        let service = crate::service(Arc::new(State { store: store.clone(), entropy }));
        let caller = Caller::root(Default::default());
        Bed { service, store, caller, now_ms: AtomicI64::new(1_600_000_000_500), _directory: directory }
    }

    /// Calls an operation and answers status and body, as they go over the wire. Each call comes a second later.
    async fn told(&self, operation: &str, input: Json) -> Result<(u16, Json), Refusal> {
        let model = wire_model();
        let input = pitbird_wire::to_value(&input).expect("JSON is a value");
        let known = model.operation(operation).expect(operation);
        let violations = pitbird_wire::check(model, known, &input);
        if !violations.is_empty() {
            return Err(refusal(400, "BadRequestException", pitbird_wire::summary(&violations)));
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

    /// An API without anything; its id.
    async fn api(&self) -> String {
        text(&self.ok("CreateApi", json!({"Name": "pets", "ProtocolType": "HTTP"})).await["apiId"])
    }

    /// A REST API of the other service's with a stage `prod`; its id.
    async fn rest_api(&self, id: &str) -> String {
        let (scope, tags, of) = (self.caller.scope.clone(), Texts::new(), id.to_owned());
        let api = RestApi {
            scope: scope.clone(),
            id: id.to_owned(),
            name: id.to_owned(),
            description: None,
            version: None,
            created_ms: 0,
            binary_media_types: Vec::new(),
            minimum_compression_size: None,
            api_key_source: "HEADER".to_owned(),
            endpoint_types: vec!["REGIONAL".to_owned()],
            ip_address_type: "ipv4".to_owned(),
            vpc_endpoint_ids: Vec::new(),
            policy: None,
            disable_execute_api_endpoint: false,
            root_resource_id: "root".to_owned(),
            tags,
        };
        let stage = json!({
            "scope": scope, "api_id": id, "name": "prod", "deployment_id": "d", "created_ms": 0, "updated_ms": 0,
            "variables": {}, "method_settings": {}, "tracing_enabled": false, "tags": {},
        });
        let stage: Stage = serde_json::from_value(stage).expect("a stage");
        let put = move |tx: &mut Transaction<'_>| {
            tx.put(&api)?;
            tx.put(&stage)
        };
        self.store.write(put).await.expect("kept");
        of
    }

    /// An HTTP API with a stage `prod`; its id.
    async fn staged(&self) -> String {
        let api = self.api().await;
        self.ok("CreateStage", json!({"ApiId": api, "StageName": "prod"})).await;
        api
    }

    /// A domain; what names it in calls.
    async fn domain(&self, name: &str, mode: &str) -> Json {
        let asked = json!({
            "DomainName": name, "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE}], "RoutingMode": mode,
        });
        self.ok("CreateDomainName", asked).await;
        json!({"DomainName": name})
    }

    /// An integration with a function; its id.
    async fn integration(&self, api: &str) -> String {
        let input = json!({
            "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0",
        });
        text(&self.ok("CreateIntegration", input).await["integrationId"])
    }

    async fn route(&self, api: &str, key: &str) -> Json {
        self.ok("CreateRoute", json!({"ApiId": api, "RouteKey": key})).await
    }

    async fn stage(&self, api: &str, name: &str) -> Json {
        self.ok("GetStage", json!({"ApiId": api, "StageName": name})).await
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
