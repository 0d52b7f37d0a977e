//! AWS in the process: two aliases and a stage, CloudWatch's minutes and one alarm, spoken to by AWS's own SDK.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_lambda::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use bytes::Bytes;
use pitbird_aws::cloud::Cloud;
use pitbird_aws::minutes::{LAG_MS, MINUTE_MS};
use pitbird_rollout::AlarmState;
use pitbird_wire::{Catalog, Fault};
use serde_json::{Value as Json, json};

use super::places::{Alias, Stage};
use super::recording::{Minute, Tape};
use crate::Clock;

/// More than any rollout here needs; time stands still for whoever doesn't wait.
const CALLS_MAX: usize = 3_000;

/// What stands on AWS.
pub struct Aws {
    pub tape: Tape,
    /// Sums are told so long after their minute.
    pub late_ms: u64,
    clock: Clock,
    pub alias: Alias,
    /// The alias of the function `toys`, and its traffic.
    pub toys: Alias,
    pub toys_tape: Option<Tape>,
    pub stage: Stage,
    /// Calls by their operations' names.
    pub calls: Vec<&'static str>,
    /// How the next changes of a function's alias fail: by these codes.
    pub faults: BTreeMap<&'static str, VecDeque<&'static str>>,
    /// When which function's alias was to be changed.
    pub updates: Vec<(u64, String)>,
}

/// A way to it.
#[derive(Clone)]
struct Wire(Arc<Mutex<Aws>>);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(self.0.lock().unwrap().answer(&request)))
    }
}

impl Aws {
    pub fn new(tape: Tape, late_ms: u64, clock: Clock) -> Arc<Mutex<Aws>> {
        assert!(late_ms <= LAG_MS, "what is later than that is never counted");
        let (alias, toys, stage) = (Alias::new("1", "2"), Alias::new("6", "7"), Stage::new());
        Arc::new(Mutex::new(Aws {
            tape,
            late_ms,
            clock,
            alias,
            toys,
            toys_tape: None,
            stage,
            calls: Vec::new(),
            faults: BTreeMap::new(),
            updates: Vec::new(),
        }))
    }

    /// The real client of it.
    pub fn cloud(aws: &Arc<Mutex<Aws>>) -> Cloud {
        let connector = SharedHttpConnector::new(Wire(aws.clone()));
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKIA", "secret", None, None, "test",
            )))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Cloud::new(&config).expect("a region")
    }

    fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        let body = Bytes::copy_from_slice(request.body().bytes().expect("a body in memory"));
        let mut parts = http::Request::builder().method(request.method()).uri(request.uri());
        for (name, value) in request.headers() {
            parts = parts.header(name, value);
        }
        let (parts, ()) = parts.body(()).expect("a request").into_parts();
        let call = Catalog::embedded().identify(&parts, &body).expect("an operation of AWS");
        let input = call.decode(&parts, body).expect("an input").input;
        let input = serde_json::to_value(&input).expect("a value is JSON");
        self.calls.push(call.operation.name);
        if call.operation.name == "Invoke" {
            // The answer's body is what the function says.
            let status = StatusCode::try_from(200).expect("a status");
            return HttpResponse::new(status, SdkBody::from(self.tape.says()));
        }
        assert!(self.calls.len() < CALLS_MAX, "it goes on asking");
        let answer = match self.operation(call.operation.name, &input) {
            Ok(output) => {
                let output = pitbird_wire::to_value(&output).expect("JSON is a value");
                call.encode(output, "r").expect("an output of the model")
            }
            Err(fault) => call.encode_fault(&fault, "r"),
        };
        let status = StatusCode::try_from(answer.status().as_u16()).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(answer.body().to_vec()));
        for (name, value) in answer.headers() {
            response.headers_mut().insert(name.to_string(), value.to_str().expect("text").to_owned());
        }
        response
    }

    fn alias_of(&mut self, input: &Json) -> &mut Alias {
        match input["FunctionName"].as_str() {
            Some("pets") => &mut self.alias,
            Some("toys") => &mut self.toys,
            other => panic!("nobody has a function {other:?}"),
        }
    }

    fn update_alias(&mut self, input: &Json, now_ms: u64) -> Result<Json, Fault> {
        let function = input["FunctionName"].as_str().expect("a name").to_owned();
        let code = self.faults.get_mut(&*function).and_then(VecDeque::pop_front);
        self.updates.push((now_ms, function));
        if let Some(code) = code {
            return Err(Fault::new(code, "not now"));
        }
        let alias = self.alias_of(input);
        alias.update(input)?;
        let (share, shown) = (alias.share(), alias.shown());
        let is_main = input["FunctionName"] == "pets";
        let tape = if is_main { Some(&mut self.tape) } else { self.toys_tape.as_mut() };
        tape.expect("its traffic").shift(now_ms, share);
        Ok(shown)
    }

    fn operation(&mut self, name: &str, input: &Json) -> Result<Json, Fault> {
        let now_ms = (self.clock)();
        self.tape.play(now_ms);
        if let Some(tape) = &mut self.toys_tape {
            tape.play(now_ms);
        }
        match name {
            "GetFunctionConfiguration" => Ok(json!({"FunctionName": "pets", "Version": "2"})),
            "GetAlias" => Ok(self.alias_of(input).shown()),
            "UpdateAlias" => self.update_alias(input, now_ms),
            "GetRestApi" => Ok(Stage::api()),
            "GetRestApis" => Ok(json!({"items": [Stage::api()]})),
            "GetDeployment" => Ok(json!({"id": "d2"})),
            "GetStage" => Ok(self.stage.shown()),
            "UpdateStage" => {
                self.stage.update(input);
                self.tape.shift(now_ms, self.stage.share());
                Ok(self.stage.shown())
            }
            "TagResource" => {
                self.stage.tag(input);
                Ok(json!({}))
            }
            "UntagResource" => {
                self.stage.untag(input);
                Ok(json!({}))
            }
            "GetMetricData" => self.metrics(input, now_ms),
            "DescribeAlarms" => {
                let name = |state| match state {
                    AlarmState::Ok => "OK",
                    AlarmState::Alarm => "ALARM",
                    AlarmState::InsufficientData => "INSUFFICIENT_DATA",
                };
                let found = self.tape.alarm(now_ms).into_iter();
                let found = found.map(|state| json!({"AlarmName": "errors", "StateValue": name(state)}));
                Ok(json!({"MetricAlarms": found.collect::<Vec<_>>(), "CompositeAlarms": []}))
            }
            other => panic!("{other} isn't needed for a release"),
        }
    }

    /// Sums by minutes, newest first, as CloudWatch gives them.
    fn metrics(&self, input: &Json, now_ms: u64) -> Result<Json, Fault> {
        if self.tape.is_blind(now_ms) {
            return Err(Fault::new("AccessDenied", "not authorized to perform cloudwatch:GetMetricData")
                .with_status(403));
        }
        let time_ms = |name: &str| (input[name].as_f64().expect("a time") * 1e3) as u64;
        let wanted = time_ms("StartTime")..time_ms("EndTime");
        let told = |minute: &&Minute| {
            wanted.contains(&minute.start_ms) && minute.start_ms + MINUTE_MS + self.late_ms <= now_ms
        };
        let minutes = |tape: &'_ Tape| tape.minutes.iter().rev().filter(told).copied().collect::<Vec<_>>();
        let (main, toys) = (minutes(&self.tape), self.toys_tape.as_ref().map(minutes));
        let queries = input["MetricDataQueries"].as_array().expect("queries").iter();
        let results = queries.map(|query| {
            let metric = &query["MetricStat"]["Metric"];
            let is_toys = metric["Dimensions"][0]["Value"] == "toys";
            let minutes = if is_toys { toys.as_ref().expect("its traffic") } else { &main };
            let found =
                minutes.iter().filter_map(|minute| Some((minute.start_ms / 1000, sum(metric, minute)?)));
            let (times, values): (Vec<u64>, Vec<u64>) = found.unzip();
            json!({"Id": query["Id"], "Timestamps": times, "Values": values, "StatusCode": "Complete"})
        });
        Ok(json!({"MetricDataResults": results.collect::<Vec<_>>()}))
    }
}

/// What the series has for a minute; AWS says nothing of one without requests. Of a minute in which the weight changed it says what
/// would condemn any canary.
fn sum(metric: &Json, minute: &Minute) -> Option<u64> {
    let dimensions = metric["Dimensions"].as_array().expect("dimensions").iter();
    let dimensions: Vec<_> = dimensions.map(|it| (it["Name"].as_str(), it["Value"].as_str())).collect();
    let pets = [("FunctionName", "pets"), ("Resource", "pets:live"), ("ExecutedVersion", "2")];
    let toys = [("FunctionName", "toys"), ("Resource", "toys:live"), ("ExecutedVersion", "7")];
    let [all, canary] =
        [[("ApiName", "pets"), ("Stage", "prod")], [("ApiName", "pets"), ("Stage", "prod/Canary")]];
    let is = |names: &[(&'static str, &'static str)]| {
        dimensions.iter().copied().eq(names.iter().map(|(name, value)| (Some(*name), Some(*value))))
    };
    let is_canary = match metric["Namespace"].as_str() {
        Some("AWS/Lambda") if is(&pets) || is(&toys) => true,
        Some("AWS/Lambda") if is(&pets[..2]) || is(&toys[..2]) => false,
        Some("AWS/ApiGateway") if is(&canary) => true,
        Some("AWS/ApiGateway") if is(&all) => false,
        _ => panic!("nobody has anything to ask about {metric}"),
    };
    let canary = match minute.is_mixed {
        true => (1_000, 1_000),
        false => (minute.seen.canary.requests(), minute.seen.canary.events()),
    };
    let base = (minute.seen.base.requests(), minute.seen.base.events());
    let (requests, failures) = if is_canary { canary } else { (canary.0 + base.0, canary.1 + base.1) };
    let sum = match metric["MetricName"].as_str() {
        Some("Invocations" | "Count") => requests,
        Some("Errors" | "5XXError") => failures,
        other => panic!("{other:?} isn't needed"),
    };
    (requests > 0).then_some(sum)
}
