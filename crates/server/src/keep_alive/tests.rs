use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as ClientTls;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::server::TlsStream as ServerTls;

use super::*;
use crate::raw_head::Streamed;
use crate::tls::Tls;

/// As hyper writes it, and we.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nok";

/// Says ok once the body has come, and that this is the whole answer.
async fn ok(request: Request<Received>, raw_head: Bytes, head: &RawHead) -> Answered<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    // Of pipelined requests it may be unknown.
    assert!(raw_head.is_empty() || raw_head.starts_with(parts.method.as_str().as_bytes()));
    let _read = body.collect().await.unwrap();
    head.answered();
    let mut answer = Response::new(Either::Left(Full::new(Bytes::from("ok"))));
    // So that the tests know each byte.
    answer.headers_mut().insert("date", "now".parse().unwrap());
    answer
}

async fn read_answer(far: &mut DuplexStream) {
    let mut answer = [0; ANSWER.len()];
    far.read_exact(&mut answer).await.unwrap();
    assert_eq!(std::str::from_utf8(&answer), Ok(ANSWER));
}

fn told_to_stop() -> (watch::Sender<bool>, watch::Receiver<bool>) {
    watch::channel(false)
}

/// Who serves a connection.
#[derive(Debug, Clone, Copy)]
enum By {
    Us,
    Hyper,
}

/// What became of a connection whose client sent this and waits, with an answer made by `answer`, after ten seconds.
async fn becomes_idle<F>(
    by: By,
    sent: &[u8],
    room: usize,
    answer: impl Fn(Request<Received>, Bytes) -> F,
    head: &Arc<RawHead>,
) -> bool
where
    F: Future<Output = Answered<Full<Bytes>>>,
{
    let (near, mut far) = tokio::io::duplex(room);
    far.write_all(sent).await.unwrap();
    let (_keep, mut stop) = told_to_stop();
    let stream = Remembering::new(near, head.clone());
    let waited = async {
        match by {
            By::Us => matches!(usually(stream, head, &mut stop, &answer).await, Ok(Served::Idle(_))),
            By::Hyper => {
                let idle = through_hyper(stream, head, &mut stop, &answer, None).await;
                matches!(idle, Ok(Some(_)))
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waited).await.unwrap_or(false)
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_given_up_between_requests_only() {
    for (sent, is_idle, why) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], [true, true], "answered"),
        (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", [true, true], "two at once"),
        (b"GET / HTTP/1.1\r\n", [false, false], "half a head"),
        (b"GET / HTTP/1.1\r\n\r\nGET / HT", [false, true], "half of the next head, which is put back"),
        (b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n", [false, false], "closed"),
    ] {
        for (by, is_idle) in [By::Us, By::Hyper].into_iter().zip(is_idle) {
            let head = Arc::new(RawHead::default());
            let answer = |request, raw_head| ok(request, raw_head, &head);
            assert_eq!(becomes_idle(by, sent, 4096, answer, &head).await, is_idle, "{why}, {by:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_whole_or_not_written_keeps_a_connection() {
    let sent = b"GET / HTTP/1.1\r\n\r\n";
    let whole = |_, _| std::future::ready(Response::new(Either::Left(Full::from("ok"))));
    let head = Arc::new(RawHead::default());
    assert!(!becomes_idle(By::Hyper, sent, 4096, whole, &head).await, "nobody says that it is all");
    for by in [By::Us, By::Hyper] {
        let head = Arc::new(RawHead::default());
        let answer = |request, raw_head| ok(request, raw_head, &head);
        assert!(!becomes_idle(by, sent, 32, answer, &head).await, "32 bytes of it are, {by:?}");
        let head = Arc::new(RawHead::default());
        let never = |_, _| std::future::pending();
        assert!(!becomes_idle(by, sent, 4096, never, &head).await, "{by:?}");
    }
}

/// 64 MB that are there at once, and how many of them were taken.
struct Flood(Arc<AtomicUsize>);

impl Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static PIECE: [u8; 64 << 10] = [0; 64 << 10];
        let taken = self.0.fetch_add(PIECE.len(), Ordering::Relaxed);
        Poll::Ready((taken < 64 << 20).then(|| Ok(Frame::data(Bytes::from_static(&PIECE)))))
    }
}

#[tokio::test]
async fn a_slow_client_makes_a_body_wait() {
    let (near, mut far) = tokio::io::duplex(1024);
    far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let (_keep, mut stop) = told_to_stop();
    let (head, taken) = (Arc::new(RawHead::default()), Arc::new(AtomicUsize::new(0)));
    let answer = |_, _| std::future::ready(Response::new(Either::Right(Flood(taken.clone()))));
    let served = serve(near, &head, &mut stop, answer);
    let mut first = [0; 15];
    tokio::select! {
        _ = served => panic!("nobody has read all of it"),
        read = far.read_exact(&mut first) => assert_eq!(read.unwrap(), first.len()),
    }
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken <= 1 << 20, "{taken}");
}

/// Pieces that come a second apart, and how many bytes they have together, if that is told.
struct Pieces {
    left: Vec<&'static str>,
    told: Option<u64>,
    wait: Pin<Box<tokio::time::Sleep>>,
}

impl Pieces {
    fn answer(told: Option<u64>, head: &Arc<RawHead>) -> Answered<Streamed<Pieces>> {
        let wait = Box::pin(tokio::time::sleep(Duration::from_secs(1)));
        let pieces = Pieces { left: vec!["last", "", "first"], told, wait };
        Response::new(Either::Right(Streamed::new(pieces, head.clone())))
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::ready!(self.wait.as_mut().poll(cx));
        let next = Instant::now() + Duration::from_secs(1);
        self.wait.as_mut().reset(next);
        Poll::Ready(self.left.pop().map(|piece| Ok(Frame::data(Bytes::from(piece)))))
    }

    fn size_hint(&self) -> SizeHint {
        self.told.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_streamed_answer_a_connection_is_idle_too() {
    for (verb, told) in [("GET", None), ("GET", Some(9)), ("HEAD", None), ("HEAD", Some(9))] {
        let head = Arc::new(RawHead::default());
        let (near, mut far) = tokio::io::duplex(4096);
        let (_keep, mut stop) = told_to_stop();
        let sent = format!("{verb} / HTTP/1.1\r\n\r\n");
        far.write_all(sent.as_bytes()).await.unwrap();
        let began = Instant::now();
        let answer = |_, _| std::future::ready(Pieces::answer(told, &head));
        let stream = Remembering::new(near, head.clone());
        let waited = async {
            // Its answer is unusual, or the request itself.
            let Served::Unusual(stream, answered) = usually(stream, &head, &mut stop, &answer).await? else {
                panic!("{verb} {told:?}")
            };
            assert_eq!(answered.is_some(), verb == "GET");
            through_hyper(stream, &head, &mut stop, &answer, answered).await
        };
        let idle = tokio::time::timeout(Duration::from_secs(60), waited).await;
        assert!(matches!(idle, Ok(Ok(Some(_)))), "{verb} {told:?}");
        let least = if verb == "GET" { 3 } else { 0 };
        assert!(began.elapsed() >= Duration::from_secs(least), "{verb} {told:?}: before its end");
        drop(idle);
        let mut said = String::new();
        far.read_to_string(&mut said).await.unwrap();
        assert_eq!(said.contains("first") && said.contains("last"), verb == "GET", "{said}");
        assert_eq!(said.ends_with("\r\n0\r\n\r\n"), verb == "GET" && told.is_none(), "{said}");
    }
}

/// A piece and an error, both there at once.
struct BreaksOff {
    has_said: bool,
}

impl Body for BreaksOff {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        let piece = || Ok(Frame::data(Bytes::from_static(b"one")));
        let has_said = std::mem::replace(&mut self.has_said, true);
        Poll::Ready(Some(if has_said { Err(std::io::Error::other("broken off")) } else { piece() }))
    }
}

#[tokio::test]
async fn what_there_was_before_a_body_broke_off_is_written() {
    let head = Arc::new(RawHead::default());
    let (near, mut far) = tokio::io::duplex(4096);
    let (_keep, mut stop) = told_to_stop();
    far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = |_, _| {
        let body = Streamed::new(BreaksOff { has_said: false }, head.clone());
        std::future::ready(Response::new(Either::Right(body)))
    };
    assert!(serve(near, &head, &mut stop, answer).await.is_err());
    let mut said = String::new();
    far.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.ends_with("\r\n\r\n3\r\none\r\n"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_is_left_alone() {
    for by in [By::Us, By::Hyper] {
        let head = Arc::new(RawHead::default());
        let (near, mut far) = tokio::io::duplex(4096);
        let (_keep, mut stop) = told_to_stop();
        let answer = |request, raw_head| ok(request, raw_head, &head);
        let busy = async {
            for _ in 0..20 {
                far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                read_answer(&mut far).await;
                tokio::time::advance(IDLE_AFTER / 4).await;
            }
        };
        let stream = Remembering::new(near, head.clone());
        let served = async {
            match by {
                By::Us => usually(stream, &head, &mut stop, &answer).await.is_ok(),
                By::Hyper => through_hyper(stream, &head, &mut stop, &answer, None).await.is_ok(),
            }
        };
        tokio::select! {
            biased;
            ended = served => panic!("{by:?}, {ended}"),
            () = busy => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_go_on_over_any_pause() {
    let head = Arc::new(RawHead::default());
    let (near, mut far) = tokio::io::duplex(4096);
    let (_keep, mut stop) = told_to_stop();
    let asks = async move {
        for pieces in [
            &[&b"GET / HTTP/1.1\r\n\r\n"[..]][..],
            &[b"P", b"OST / HTTP/1.1\r\ncontent-length: 3\r\n\r", b"\na", b"bc"],
            &[b"GET / HTTP/1.1\r\n", b"x: 1\r\n\r\n"],
            &[b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", b"0\r\n\r\n"],
        ] {
            for piece in pieces {
                tokio::time::sleep(4 * IDLE_AFTER).await;
                far.write_all(piece).await.unwrap();
            }
            read_answer(&mut far).await;
        }
    };
    let answer = |request, raw_head: Bytes| {
        assert!(!raw_head.is_empty());
        ok(request, raw_head, &head)
    };
    let (served, ()) = tokio::join!(serve(near, &head, &mut stop, answer), asks);
    served.unwrap();
    assert_eq!(head.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn each_of_several_requests_at_once_is_known_as_it_came() {
    let head = Arc::new(RawHead::default());
    let (near, mut far) = tokio::io::duplex(4096);
    let (_keep, mut stop) = told_to_stop();
    far.write_all(b"GET /1 HTTP/1.1\r\nX-Odd: 1\r\n\r\n").await.unwrap();
    far.write_all(b"POST /2 HTTP/1.1\r\nContent-LENGTH: 2\r\n\r\nabGET /3 HTTP/1.1\r\n\r\n").await.unwrap();
    far.shutdown().await.unwrap();
    let heads = std::sync::Mutex::new(Vec::new());
    let answer = |request, raw_head: Bytes| {
        heads.lock().unwrap().push(raw_head.clone());
        ok(request, raw_head, &head)
    };
    serve(near, &head, &mut stop, answer).await.unwrap();
    let expected: [&[u8]; 3] = [
        b"GET /1 HTTP/1.1\r\nX-Odd: 1\r\n\r\n",
        b"POST /2 HTTP/1.1\r\nContent-LENGTH: 2\r\n\r\n",
        b"GET /3 HTTP/1.1\r\n\r\n",
    ];
    assert_eq!(*heads.lock().unwrap(), expected);
    let mut answers = String::new();
    far.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers, ANSWER.repeat(3));
    assert_eq!(head.requests(), 3);
}

/// An answer that isn't whole takes its request and what came behind it to hyper.
#[tokio::test(start_paused = true)]
async fn what_came_behind_a_request_with_an_unusual_answer_is_answered_next() {
    let head = Arc::new(RawHead::default());
    let (near, mut far) = tokio::io::duplex(4096);
    let (_keep, mut stop) = told_to_stop();
    far.write_all(b"POST /1 HTTP/1.1\r\ncontent-length: 2\r\n\r\nabGET /2 HTTP/1.1\r\n\r\n").await.unwrap();
    far.shutdown().await.unwrap();
    let asked = std::sync::Mutex::new(Vec::new());
    let answer = |request: Request<Received>, _| {
        asked.lock().unwrap().push(request.uri().path().to_owned());
        std::future::ready(Pieces::answer(None, &head))
    };
    serve(near, &head, &mut stop, answer).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["/1", "/2"], "each is answered once");
    let mut answers = String::new();
    far.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("\r\n0\r\n\r\n").count(), 2, "{answers}");
}

#[tokio::test]
async fn the_answer_under_way_at_the_stop_is_the_last_and_says_so() {
    for sent in ["GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"] {
        let (near, mut far) = tokio::io::duplex(4096);
        let (teller, mut stop) = told_to_stop();
        let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        far.write_all(sent.as_bytes()).await.unwrap();
        let (ask, wait) = (asked.clone(), go_on.clone());
        let served = tokio::spawn(async move {
            let head = Arc::new(RawHead::default());
            let answer = |request, raw_head| async {
                ask.notify_one();
                wait.notified().await;
                ok(request, raw_head, &head).await
            };
            serve(near, &head, &mut stop, answer).await
        });
        asked.notified().await;
        teller.send(true).unwrap();
        // Whoever serves is awake now, and hears it before he is answered.
        tokio::task::yield_now().await;
        go_on.notify_one();
        let mut said = String::new();
        far.read_to_string(&mut said).await.unwrap();
        assert!(said.contains("connection: close\r\n") && said.ends_with("\r\n\r\nok"), "{said}");
        served.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn half_of_the_next_head_holds_up_no_answer_and_is_not_lost() {
    let head = Arc::new(RawHead::default());
    let (near, mut far) = tokio::io::duplex(4096);
    let (_keep, mut stop) = told_to_stop();
    let asks = async {
        far.write_all(b"GET / HTTP/1.1\r\n\r\nGET / HT").await.unwrap();
        read_answer(&mut far).await;
        tokio::time::sleep(4 * IDLE_AFTER).await;
        assert_eq!(head.unfinished(), Some(1), "it is known that somebody has begun");
        far.write_all(b"TP/1.1\r\n\r\n").await.unwrap();
        read_answer(&mut far).await;
        drop(far);
    };
    let (served, ()) =
        tokio::join!(serve(near, &head, &mut stop, |request, raw_head| ok(request, raw_head, &head)), asks);
    served.unwrap();
    assert_eq!(head.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_at_the_stop() {
    let head = Arc::new(RawHead::default());
    let (near, mut far) = tokio::io::duplex(4096);
    let (teller, mut stop) = told_to_stop();
    let asks = async {
        far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        read_answer(&mut far).await;
        tokio::time::sleep(4 * IDLE_AFTER).await;
        teller.send(true).unwrap();
        assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
    };
    let (served, ()) =
        tokio::join!(serve(near, &head, &mut stop, |request, raw_head| ok(request, raw_head, &head)), asks);
    served.unwrap();
}

/// Both ends of a connection after a handshake that makes this authority's certificate known, and nothing else.
async fn shaken(tls: &Tls, folder: &Path) -> (ServerTls<DuplexStream>, ClientTls<DuplexStream>) {
    let acceptor = tls.acceptor().unwrap();
    let authority = CertificateDer::from_pem_file(folder.join("authority.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let connector = TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    let (near, far) = tokio::join!(acceptor.accept(near), connector.connect(name, far));
    (near.unwrap(), far.unwrap())
}

async fn ask_by_tls(far: &mut ClientTls<DuplexStream>) {
    far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = [0; ANSWER.len()];
    far.read_exact(&mut answer).await.unwrap();
    assert_eq!(std::str::from_utf8(&answer), Ok(ANSWER));
}

#[tokio::test(start_paused = true)]
async fn hyper_is_given_up_within_tls_too() {
    let folder = tempfile::tempdir().unwrap();
    let (near, mut far) = shaken(&Tls::made(folder.path().to_owned()), folder.path()).await;
    let head = Arc::new(RawHead::default());
    let (_keep, mut stop) = told_to_stop();
    far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    far.flush().await.unwrap();
    let stream = Remembering::new(near, head.clone());
    let answer = |request, raw_head| ok(request, raw_head, &head);
    let waited = through_hyper(stream, &head, &mut stop, &answer, None);
    let idle = tokio::time::timeout(Duration::from_secs(10), waited).await;
    assert!(matches!(idle, Ok(Ok(Some(_)))));
}

#[tokio::test(start_paused = true)]
async fn who_says_goodbye_by_tls_with_his_request_is_answered_and_told_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::made(folder.path().to_owned());
    for sent in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"GET / HTTP/1.1\r\nexpect: nothing\r\n\r\n"] {
        let (near, mut far) = shaken(&tls, folder.path()).await;
        let head = Arc::new(RawHead::default());
        let (_keep, mut stop) = told_to_stop();
        let asks = async {
            far.write_all(sent).await.unwrap();
            far.shutdown().await.unwrap();
            let mut said = String::new();
            // Without TLS's own goodbye this would be an error.
            far.read_to_string(&mut said).await.unwrap();
            assert_eq!(said, ANSWER);
        };
        let answer = |request, raw_head| ok(request, raw_head, &head);
        let (served, ()) = tokio::join!(serve(near, &head, &mut stop, answer), asks);
        served.unwrap();
    }
}

/// Who ends an idle connection.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Stop,
    Limit,
    Client,
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_by_tls_is_served_after_any_pause_and_ends_with_a_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::made(folder.path().to_owned());
    for ending in [Ending::Stop, Ending::Limit, Ending::Client] {
        let (near, mut far) = shaken(&tls, folder.path()).await;
        let head = Arc::new(RawHead::default());
        let (teller, mut stop) = told_to_stop();
        let asks = async {
            for pause in [4 * IDLE_AFTER, Duration::from_secs(60 * 60), Duration::ZERO] {
                ask_by_tls(&mut far).await;
                tokio::time::sleep(pause).await;
            }
            tokio::time::sleep(4 * IDLE_AFTER).await;
            match ending {
                Ending::Stop => teller.send(true).unwrap(),
                Ending::Limit => head.hang_up(),
                Ending::Client => far.shutdown().await.unwrap(),
            }
            // Without TLS's own goodbye this would be an error.
            assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0, "{ending:?}");
        };
        let (served, ()) = tokio::join!(
            serve(near, &head, &mut stop, |request, raw_head| ok(request, raw_head, &head)),
            asks
        );
        served.unwrap();
        assert_eq!(head.requests(), 3);
    }
}
