//! A bare HTTP front end with a Runtime API behind it and no gateway logic: the floor for a function host.
//!
//! `bench-frontend LISTEN ENVIRONMENTS FUNCTION [ARGUMENT…]` starts that many processes of FUNCTION, each with a Runtime
//! API of its own on a loopback port, hands every request's fixed event to an idle one, and answers with what comes back.

use std::convert::Infallible;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, mpsc, oneshot};

const EVENT: &[u8] = include_bytes!("event.json");

/// Counts invocations.
static NUMBER: AtomicU64 = AtomicU64::new(0);

type Work = oneshot::Sender<Bytes>;

/// One process and the way to hand it an event.
struct Environment {
    work: mpsc::Sender<Work>,
}

/// All environments, the idle ones on a stack.
struct Pool {
    idle: Mutex<Vec<Arc<Environment>>>,
    free: Semaphore,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what: &str| arguments.next().unwrap_or_else(|| panic!("missing argument: {what}"));
    let listen = argument("LISTEN");
    let count: usize = argument("ENVIRONMENTS").parse().expect("a number of environments");
    let function = argument("FUNCTION");
    let further: Vec<String> = arguments.collect();
    let pool = Arc::new(Pool { idle: Mutex::new(Vec::new()), free: Semaphore::new(0) });
    let mut children: Vec<Child> = Vec::new();
    for _ in 0..count {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut command = Command::new(&function);
        command.args(&further).stdout(Stdio::null());
        command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string());
        for (name, value) in [
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ] {
            command.env(name, value);
        }
        children.push(command.kill_on_drop(true).spawn()?);
        let (work, receiver) = mpsc::channel(1);
        tokio::spawn(runtime_api(listener, receiver));
        pool.idle.lock().expect("no holder panics").push(Arc::new(Environment { work }));
        pool.free.add_permits(1);
    }
    let listener = TcpListener::bind(listen).await?;
    println!("Ready.");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let pool = pool.clone();
        let service = service_fn(move |_: Request<Incoming>| {
            let pool = pool.clone();
            async move { Ok::<_, Infallible>(serve(&pool).await) }
        });
        tokio::spawn(
            http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn serve(pool: &Arc<Pool>) -> Response<Full<Bytes>> {
    pool.free.acquire().await.expect("never closed").forget();
    let environment = pool.idle.lock().expect("no holder panics").pop().expect("as many as permits");
    let (answer, answered) = oneshot::channel();
    environment.work.send(answer).await.expect("its server lives as long as we do");
    let mut lease = Lease { pool: pool.clone(), environment: Some((environment, answered)) };
    let answered = &mut lease.environment.as_mut().expect("leased above").1;
    let body = answered.await.unwrap_or_default();
    lease.give_back();
    Response::new(Full::new(body))
}

/// An environment at work. When the client hangs up, it comes back after its answer all the same.
struct Lease {
    pool: Arc<Pool>,
    environment: Option<(Arc<Environment>, oneshot::Receiver<Bytes>)>,
}

impl Lease {
    fn give_back(&mut self) {
        if let Some((environment, _)) = self.environment.take() {
            self.pool.give_back(environment);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some((environment, answered)) = self.environment.take() {
            let pool = self.pool.clone();
            tokio::spawn(async move {
                let _unwanted = answered.await;
                pool.give_back(environment);
            });
        }
    }
}

impl Pool {
    fn give_back(&self, environment: Arc<Environment>) {
        self.idle.lock().expect("no holder panics").push(environment);
        self.free.add_permits(1);
    }
}

/// The Runtime API of one environment: `next` waits for work, `response` gives it back.
async fn runtime_api(listener: TcpListener, work: mpsc::Receiver<Work>) {
    let work = Arc::new(tokio::sync::Mutex::new(work));
    let open: Arc<Mutex<Option<Work>>> = Arc::default();
    while let Ok((stream, _)) = listener.accept().await {
        let _best_effort = stream.set_nodelay(true);
        let (work, open) = (work.clone(), open.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (work, open) = (work.clone(), open.clone());
            async move { Ok::<_, Infallible>(runtime_call(request, &work, &open).await) }
        });
        tokio::spawn(
            http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn runtime_call(
    request: Request<Incoming>,
    work: &tokio::sync::Mutex<mpsc::Receiver<Work>>,
    open: &Mutex<Option<Work>>,
) -> Response<Full<Bytes>> {
    if request.method() == Method::GET {
        let Some(next) = work.lock().await.recv().await else { return Response::default() };
        *open.lock().expect("no holder panics") = Some(next);
        // Ids are each invocation's own, as on Lambda: runtimes put the trace's into their environment.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        return Response::builder()
            .header("lambda-runtime-aws-request-id", format!("8476a536-e9f4-11e8-9739-{number:012x}"))
            .header("lambda-runtime-deadline-ms", "9999999999999")
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:us-east-1:000000000000:function:bench",
            )
            .header("lambda-runtime-trace-id", format!("Root=1-58bcab84-{number:024x}"))
            .header("content-type", "application/json")
            .body(Full::from(EVENT))
            .expect("fixed headers are valid");
    }
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if let Some(answer) = open.lock().expect("no holder panics").take() {
        let _client_gone = answer.send(body);
    }
    let mut accepted = Response::new(Full::from("{\"status\":\"OK\"}"));
    *accepted.status_mut() = StatusCode::ACCEPTED;
    accepted
}
