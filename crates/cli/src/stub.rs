//! A server for tests: wire's server side on a free port, with answers that the test makes up.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pitbird_wire::{Catalog, Fault};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::{Client, Credentials, Endpoint};
use crate::json::{self, Files};

/// What the stub was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub service: &'static str,
    pub operation: &'static str,
    pub input: Json,
    pub authorization: String,
    /// Which connection it came by, counted from 0.
    pub connection: usize,
}

/// Says what to answer: an output in the model's shapes, or a fault.
pub type Answer = dyn Fn(&Asked) -> Result<Json, Fault> + Send + Sync;

pub struct Stub {
    pub endpoint: Endpoint,
    asked: Arc<Mutex<Vec<Asked>>>,
    serving: JoinHandle<()>,
}

impl Stub {
    pub async fn start(answer: impl Fn(&Asked) -> Result<Json, Fault> + Send + Sync + 'static) -> Stub {
        Stub::start_with(answer, usize::MAX).await
    }

    /// Takes the place of a stub that is gone.
    pub async fn start_at(
        endpoint: &Endpoint,
        answer: impl Fn(&Asked) -> Result<Json, Fault> + Send + Sync + 'static,
    ) -> Stub {
        let listener = TcpListener::bind((endpoint.host(), endpoint.port())).await.unwrap();
        Stub::on(listener, answer, usize::MAX)
    }

    /// Closes each connection after so many answers.
    pub async fn start_with(
        answer: impl Fn(&Asked) -> Result<Json, Fault> + Send + Sync + 'static,
        answers_per_connection: usize,
    ) -> Stub {
        Stub::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer, answers_per_connection)
    }

    fn on(
        listener: TcpListener,
        answer: impl Fn(&Asked) -> Result<Json, Fault> + Send + Sync + 'static,
        answers_per_connection: usize,
    ) -> Stub {
        let endpoint = Endpoint::from(listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(listener, Arc::new(answer), asked.clone(), answers_per_connection));
        Stub { endpoint, asked, serving }
    }

    /// Ends it; when this returns, its port is free.
    pub async fn stop(mut self) {
        self.serving.abort();
        let _aborted = (&mut self.serving).await;
    }

    pub fn client(&self) -> Client {
        Client::new(self.endpoint.clone(), "eu-west-1", Credentials::anonymous())
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    listener: TcpListener,
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers_per_connection: usize,
) {
    let mut connections = tokio::task::JoinSet::new();
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let (answer, asked) = (answer.clone(), asked.clone());
        connections.spawn(async move {
            let answered = std::sync::atomic::AtomicUsize::new(0);
            let service = service_fn(|request: Request<Incoming>| async {
                let count = answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                let mut response = respond(request, connection, &*answer, &asked).await;
                if count >= answers_per_connection {
                    response.headers_mut().insert("connection", "close".parse().unwrap());
                }
                Ok::<_, Infallible>(response)
            });
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _client_may_go = served.await;
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    connection: usize,
    answer: &Answer,
    asked: &Mutex<Vec<Asked>>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let call = Catalog::embedded().identify(&parts, &body).unwrap();
    let decoded = call.decode(&parts, body).unwrap();
    assert!(decoded.unknown.is_empty(), "{:?}", decoded.unknown);
    let header = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
    let question = Asked {
        service: call.model.key,
        operation: call.operation.name,
        input: json::from_value(&decoded.input),
        authorization: header("authorization"),
        connection,
    };
    asked.lock().unwrap().push(question.clone());
    let response = match answer(&question) {
        Ok(output) => {
            let output = json::to_value(call.model, call.operation.output, &output, Files::Refused).unwrap();
            call.encode(output, "request-1").unwrap()
        }
        Err(fault) => call.encode_fault(&fault, "request-1"),
    };
    response.map(Full::new)
}

/// A rollout as the service would describe it.
pub fn rollout(status: &str, percent: f64) -> Json {
    json!({
        "Name": "r", "Status": status, "StatusReason": "because", "Percent": percent, "StepIndex": 0,
        "Target": {"RestStage": {"RestApiId": "a1", "StageName": "prod"}}, "Canary": {"DeploymentId": "d2"},
        "Steps": [{"Percent": 10.0, "WaitMs": 1000}], "StartedAt": "2026-11-01T00:00:00.000Z",
        "Evidence": {
            "Verdict": "Unknown", "Base": {"Requests": 90, "Failures": 0}, "Canary": {"Requests": 10, "Failures": 1},
        },
    })
}
