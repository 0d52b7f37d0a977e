//! The operations through the registry, as a caller meets them: inputs are held against the model, answers are written
//! by its protocols.

mod actions;
mod alarms;
mod anomalies;
mod composite;
mod dashboards;
mod evaluation;
mod history;
mod math;
mod math_alarms;
mod metric_data;
mod model;
mod reading;
mod statistics;
mod tags;
mod tools;
mod widgets;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use pitbird_service::{Call, Caller, Service};
use pitbird_store::Store;
use pitbird_telemetry::{Config, Telemetry};
use pitbird_wire::{Catalog, Model, Protocol, Value};
use serde_json::{Value as Json, json};

use crate::State;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A service on folders of its own.
struct Bed {
    service: Service,
    state: Arc<State>,
    caller: Caller,
    /// The minute in which the test began, milliseconds since 1970.
    start_ms: i64,
    now_ms: AtomicI64,
    directory: tempfile::TempDir,
}

/// What a caller is told when a call fails.
#[derive(Debug, PartialEq)]
struct Refusal {
    status: u16,
    code: String,
    message: String,
}

/// By the code that the query protocol gives.
fn refusal(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal { status, code: code.to_owned(), message: message.into() }
}

fn value(message: impl Into<String>) -> Refusal {
    refusal(400, "InvalidParameterValue", message)
}

fn combination(message: impl Into<String>) -> Refusal {
    refusal(400, "InvalidParameterCombination", message)
}

fn missing(message: impl Into<String>) -> Refusal {
    refusal(400, "MissingParameter", message)
}

fn invalid(message: impl Into<String>) -> Refusal {
    refusal(400, "ValidationError", message)
}

fn unsupported(what: &str) -> Refusal {
    invalid(format!("{what} is not supported by pitbird, so it is refused rather than ignored."))
}

fn wire_model() -> &'static Model {
    Catalog::embedded().model("cloudwatch").expect("the model is embedded")
}

fn state_in(directory: &tempfile::TempDir) -> Arc<State> {
    let store = Store::open(&directory.path().join("store")).expect("a store");
    let telemetry = Telemetry::open(&directory.path().join("telemetry"), &Config::default());
    Arc::new(State::new(store, telemetry.expect("telemetry")))
}

impl Bed {
    fn new() -> Bed {
        let directory = tempfile::tempdir().expect("a directory");
        let state = state_in(&directory);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let start_ms = since.as_millis() as i64 / MINUTE * MINUTE;
        Bed {
            service: crate::service(state.clone()),
            state,
            caller: Caller::root(Default::default()),
            start_ms,
            now_ms: AtomicI64::new(start_ms),
            directory,
        }
    }

    /// The same folders, as another process would open them.
    fn reopened(self) -> Bed {
        let Bed { service, state, caller, start_ms, now_ms, directory } = self;
        drop((service, state));
        let state = state_in(&directory);
        Bed { service: crate::service(state.clone()), state, caller, start_ms, now_ms, directory }
    }

    /// Calls an operation and answers its output as it goes over the wire. Each call comes a millisecond later.
    async fn run(&self, operation: &str, input: Json) -> Result<Json, Refusal> {
        let model = wire_model();
        let input = pitbird_wire::to_value(&input).expect("JSON is a value");
        let known = model.operation(operation).expect(operation);
        let violations = pitbird_wire::check(model, known, &input);
        if !violations.is_empty() {
            return Err(told(&pitbird_wire::Fault::validation(model, &violations)));
        }
        let call = Call {
            caller: self.caller.clone(),
            request_id: String::new(),
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
                let mut told_as = pitbird_wire::Fault::new(fault.code.clone(), fault.message.clone());
                told_as.status = fault.status;
                told(&told_as)
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

    /// A time after the test's start, in seconds.
    fn at(&self, after_ms: i64) -> f64 {
        (self.start_ms + after_ms) as f64 / 1000.0
    }

    /// Puts a value of `N m` with the dimension `d` = `x`.
    async fn put(&self, after_ms: i64, value: f64) {
        let datum = json!({
            "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}], "Timestamp": self.at(after_ms), "Value": value,
        });
        self.ok("PutMetricData", json!({"Namespace": "N", "MetricData": [datum]})).await;
    }

    /// Sets an alarm on what [`Bed::put`] puts; `more` may change anything.
    async fn alarm(&self, name: &str, more: Json) {
        self.ok("PutMetricAlarm", with(&alarm_input(name), more)).await;
    }

    async fn described(&self, name: &str) -> Json {
        let found = self.ok("DescribeAlarms", json!({"AlarmNames": [name]})).await;
        found["MetricAlarms"][0].clone()
    }

    async fn state_of(&self, name: &str) -> String {
        self.described(name).await["StateValue"].as_str().expect("a state").to_owned()
    }
}

fn alarm_input(name: &str) -> Json {
    json!({
        "AlarmName": name, "Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}],
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    })
}

fn told(fault: &pitbird_wire::Fault) -> Refusal {
    let form = fault.form(Some(wire_model()));
    refusal(form.status, form.query_code, fault.message.clone())
}

/// An output as the protocols write it; a member that the model doesn't have fails here.
fn written(operation: &str, output: Value) -> Json {
    let model = wire_model();
    let operation = model.operation(operation).expect(operation);
    let [query, cbor, json] = [Protocol::Query, Protocol::Cbor, Protocol::Json10].map(|protocol| {
        let call = pitbird_wire::Call { model, operation, protocol, query_mode: false, labels: Vec::new() };
        call.encode(output.clone(), "id").expect("an output fits its model")
    });
    assert_eq!([query.status(), cbor.status(), json.status()], [200, 200, 200]);
    serde_json::from_slice(json.body()).expect("JSON")
}

/// Both objects' members.
fn with(one: &Json, other: Json) -> Json {
    let mut all = one.clone();
    let members = all.as_object_mut().expect("an object");
    members.extend(other.as_object().expect("an object").clone());
    all
}

/// An object without a member.
fn without(one: &Json, member: &str) -> Json {
    let mut rest = one.clone();
    rest.as_object_mut().expect("an object").remove(member).expect(member);
    rest
}

/// The members of a list's items, one name.
fn column(list: &Json, member: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[member].as_str().expect("a text").to_owned()).collect()
}
