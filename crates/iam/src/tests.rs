//! The operations through the registry, as bytes from and to a caller.

mod model;
mod policies;
mod roles;
mod users;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use pitbird_names::{Account, Region, Scope};
use pitbird_service::{Call, Caller, Fault, Service};
use pitbird_store::Store;
use pitbird_wire::client::{self, ClientError, Refusal};
use pitbird_wire::{Catalog, Model, Protocol};
use serde_json::{Value as Json, json};

use crate::State;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}"#;
const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const START_S: i64 = 1_600_000_000;

struct Bed {
    service: Service,
    store: Store,
    now_ms: AtomicI64,
    directory: tempfile::TempDir,
}

/// Different bits each time, the same in each run.
fn entropy() -> u128 {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let drawn = u128::from(DRAWN.fetch_add(1, Ordering::Relaxed));
    drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn wire_model() -> &'static Model {
    Catalog::embedded().model("iam").expect("the model is embedded")
}

fn caller(region: &str) -> Caller {
    let account = Account::parse("123456789012").expect("an account");
    Caller::root(Scope { account, region: Region::parse(region).expect("a region") })
}

impl Bed {
    fn new() -> Bed {
        let directory = tempfile::tempdir().expect("a directory");
        Bed::at(directory)
    }

    fn at(directory: tempfile::TempDir) -> Bed {
        let store = Store::open(directory.path()).expect("a store");
        let service = crate::service(Arc::new(State { store: store.clone(), entropy }));
        Bed { service, store, now_ms: AtomicI64::new(START_S * 1000 + 500), directory }
    }

    async fn run_as(&self, caller: Caller, operation: &str, input: Json) -> Result<Json, Refusal> {
        let model = wire_model();
        let known = model.operation(operation).expect(operation);
        let input = pitbird_wire::to_value(&input).expect("JSON is a value");
        let request = client::encode(model, known, Protocol::Query, input).expect("an input fits its model");
        let (parts, body) = request.into_parts();
        let wire = Catalog::embedded().identify(&parts, &body).expect("an operation");
        let input = wire.decode(&parts, body).expect("readable").input;
        let violations = pitbird_wire::check(model, known, &input);
        let now_ms = self.now_ms.fetch_add(1000, Ordering::Relaxed);
        let answer = if violations.is_empty() {
            let call = Call {
                caller,
                request_id: "id".into(),
                now_ms,
                endpoint: String::new(),
                trace_id: None,
                input,
            };
            match self
                .service
                .call(operation, call)
                .expect(operation)
                .await
                .map(pitbird_service::Answer::into_output)
            {
                Ok(output) => wire.encode(output, "id").expect("an output fits its model"),
                Err(fault) => wire.encode_fault(&told(fault), "id"),
            }
        } else {
            wire.encode_fault(&pitbird_wire::Fault::validation(model, &violations), "id")
        };
        match client::decode(model, known, Protocol::Query, answer) {
            Ok(output) => Ok(serde_json::to_value(output).expect("JSON")),
            Err(ClientError::Refused(refusal)) => Err(refusal),
            Err(error) => panic!("{operation}: {error}"),
        }
    }

    async fn ok(&self, operation: &str, input: Json) -> Json {
        let answer = self.run_as(caller("us-east-1"), operation, input.clone()).await;
        answer.unwrap_or_else(|refusal| panic!("{operation} {input}: {refusal}"))
    }

    /// Status, code and message of a call that must fail.
    async fn refused(&self, operation: &str, input: Json) -> (u16, String, String) {
        let answer = self.run_as(caller("us-east-1"), operation, input.clone()).await;
        let refusal = answer.expect_err(&format!("{operation} {input}"));
        (refusal.status, refusal.code, refusal.message)
    }

    async fn role(&self, name: &str) -> Json {
        self.ok("CreateRole", json!({"RoleName": name, "AssumeRolePolicyDocument": TRUST})).await["Role"]
            .clone()
    }

    /// A policy's ARN.
    async fn policy(&self, name: &str) -> String {
        let made = self.ok("CreatePolicy", json!({"PolicyName": name, "PolicyDocument": DOCUMENT})).await;
        made["Policy"]["Arn"].as_str().expect("an ARN").to_owned()
    }
}

fn told(fault: Fault) -> pitbird_wire::Fault {
    let fault = fault.into_told();
    let mut told = pitbird_wire::Fault::new(fault.code, fault.message);
    told.status = fault.status;
    told
}

fn missing(message: impl Into<String>) -> (u16, String, String) {
    (404, "NoSuchEntity".to_owned(), message.into())
}

fn conflict(message: impl Into<String>) -> (u16, String, String) {
    (409, "DeleteConflict".to_owned(), message.into())
}

fn limit(message: impl Into<String>) -> (u16, String, String) {
    (409, "LimitExceeded".to_owned(), message.into())
}

fn malformed(message: impl Into<String>) -> (u16, String, String) {
    (400, "MalformedPolicyDocument".to_owned(), message.into())
}

fn with(one: Json, other: Json) -> Json {
    let mut all = one;
    all.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
    all
}
