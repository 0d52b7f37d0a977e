//! Serves HTTP/2 on a connection.
//!
//! Unlike with HTTP/1 nothing is taken down while it is idle: a client has one connection for all that it asks at once.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// Requests at once on one connection.
const STREAMS_MAX: u32 = 128;
/// Bytes of all headers of one request.
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024;
/// A connection that was silent for so long is asked whether anybody is there; who doesn't answer in [`PONG_TIMEOUT`] is hung up
/// on.
const SILENCE: Duration = Duration::from_secs(60);
const PONG_TIMEOUT: Duration = Duration::from_secs(20);

/// Serves until the client hangs up or is found to be gone, or until `stop` says so and what is under way has been answered.
pub async fn serve<S, A, F, B>(stream: S, stop: &mut watch::Receiver<bool>, answer: A) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let asked = Asked::default();
    let served = http2::Builder::new(asked.clone())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .keep_alive_interval(SILENCE)
        .keep_alive_timeout(PONG_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    let mut served = std::pin::pin!(served);
    tokio::select! {
        ended = asked.answer(served.as_mut()) => return ended,
        _ = stop.changed() => served.as_mut().graceful_shutdown(),
    }
    asked.answer(served.as_mut()).await
}

/// What was asked on a connection and isn't answered yet. Whatever needn't be waited for is answered where the connection is served,
/// all that came at once before any of it is written, and the rest on a task of its own: to start a task for each request, which then
/// wakes the connection's for its answer, costs more than most answers.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Answering>>>);

type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Asked {
    fn execute(&self, answering: F) {
        let mut asked = self.lock();
        if asked.len() < STREAMS_MAX as usize {
            return asked.push(Box::pin(answering));
        }
        drop(asked);
        // Who takes back what he asks for may ask for more than so much before he is silent.
        begin(Box::pin(answering));
    }
}

impl Asked {
    fn lock(&self) -> MutexGuard<'_, Vec<Answering>> {
        self.0.lock().expect("nothing panics while it is held")
    }

    /// Serves a connection to its end.
    async fn answer<C: Future>(&self, mut served: Pin<&mut C>) -> C::Output {
        let mut asked = Vec::new();
        poll_fn(|cx| {
            loop {
                let ended = served.as_mut().poll(cx);
                std::mem::swap(&mut asked, &mut self.lock());
                let is_all = asked.is_empty();
                // Who goes away before the answer is answered all the same: what he asked for happens and is counted.
                asked.drain(..).for_each(begin);
                if is_all || ended.is_ready() {
                    return ended;
                }
            }
        })
        .await
    }
}

/// Answers at once or, what waits, on a task.
fn begin(mut answering: Answering) {
    // Nobody need be woken: the task looks by itself, first of all.
    let mut nobody = Context::from_waker(Waker::noop());
    // A panic is the end of the one request, as on a task.
    match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(&mut nobody))) {
        Ok(Poll::Pending) => drop(tokio::spawn(answering)),
        Ok(Poll::Ready(())) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use bytes::Bytes;
    use http_body_util::{Empty, Full};
    use hyper::client::conn::http2 as client;
    use hyper_util::rt::TokioExecutor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    /// A connection that is served with ok, on a task of its own.
    fn serving(near: DuplexStream) -> (watch::Sender<bool>, tokio::task::JoinHandle<hyper::Result<()>>) {
        let (teller, mut stop) = watch::channel(false);
        let ok = |_| std::future::ready(Ok(Response::new(Full::new(Bytes::from("ok")))));
        (teller, tokio::spawn(async move { serve(near, &mut stop, ok).await }))
    }

    #[tokio::test]
    async fn who_must_be_waited_for_keeps_nobody_else_waiting_and_a_panic_is_ones_own() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (go, gone) = watch::channel(false);
        let (_teller, mut stop) = watch::channel(false);
        let answer = move |request: Request<Incoming>| {
            let mut gone = gone.clone();
            async move {
                match request.uri().path() {
                    "/waits" => drop(gone.wait_for(|gone| *gone).await),
                    "/panics" => panic!("of one request"),
                    _ => {}
                }
                Ok(Response::new(Full::new(Bytes::from("ok"))))
            }
        };
        tokio::spawn(async move { serve(near, &mut stop, answer).await });
        let (mut sender, connection) =
            client::handshake(TokioExecutor::new(), TokioIo::new(far)).await.unwrap();
        tokio::spawn(connection);
        let mut ask = |path: &str| {
            let request =
                Request::get(format!("http://localhost{path}")).body(Empty::<Bytes>::new()).unwrap();
            tokio::spawn(sender.send_request(request))
        };
        let waits = ask("/waits");
        assert!(ask("/panics").await.unwrap().is_err());
        assert_eq!(ask("/").await.unwrap().unwrap().status(), 200);
        assert!(!waits.is_finished());
        go.send(true).unwrap();
        assert_eq!(waits.await.unwrap().unwrap().status(), 200);
    }

    #[tokio::test]
    async fn no_more_is_kept_than_may_be_asked_at_once() {
        let (asked, begun) = (Asked::default(), Arc::new(AtomicU32::new(0)));
        for _ in 0..STREAMS_MAX + 3 {
            let begun = begun.clone();
            asked.execute(async move {
                begun.fetch_add(1, Relaxed);
            });
        }
        assert_eq!(begun.load(Relaxed), 3);
        asked.answer(pin!(std::future::ready(()))).await;
        assert_eq!(begun.load(Relaxed), STREAMS_MAX + 3, "also when the connection ends");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_there_is_served_after_any_pause_until_the_stop() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (teller, served) = serving(near);
        let (mut sender, connection) =
            client::handshake(TokioExecutor::new(), TokioIo::new(far)).await.unwrap();
        let connection = tokio::spawn(connection);
        for _ in 0..3 {
            let request = Request::get("http://localhost/").body(Empty::<Bytes>::new()).unwrap();
            assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
            tokio::time::sleep(10 * (SILENCE + PONG_TIMEOUT)).await;
        }
        let told_at = tokio::time::Instant::now();
        teller.send(true).unwrap();
        // Either may be gone before the other's last word.
        let _ended = served.await.unwrap();
        let _ended = connection.await.unwrap();
        assert!(sender.is_closed() && told_at.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_gone_is_hung_up_on() {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        let (_teller, served) = serving(near);
        let began = tokio::time::Instant::now();
        // The preface and empty settings; nothing is ever answered.
        far.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut said = Vec::new();
        far.read_to_end(&mut said).await.unwrap();
        assert!(served.await.unwrap().is_err());
        let after = began.elapsed();
        assert!((SILENCE..=SILENCE + 2 * PONG_TIMEOUT).contains(&after), "{after:?}");
    }
}
