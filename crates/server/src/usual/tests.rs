use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tokio::io::AsyncReadExt;

use super::*;

/// A request as whoever answers it sees it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

async fn seen<B: http_body_util::BodyExt<Data = Bytes, Error: std::fmt::Debug>>(request: Request<B>) -> Seen {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen { method: parts.method, uri: parts.uri, headers: parts.headers, body }
}

fn answers() -> Vec<Response<Full<Bytes>>> {
    let of = |status: u16, headers: &[(&'static str, &'static str)], body: &'static str| {
        let mut answer = Response::new(Full::from(body));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in [("date", "now")].iter().chain(headers) {
            answer.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        answer
    };
    vec![
        of(200, &[("content-type", "text/plain")], "hello"),
        of(200, &[("set-cookie", "a=1"), ("x-b", ""), ("set-cookie", "b=2")], ""),
        of(404, &[], "{}"),
        of(502, &[("x-amzn-requestid", "1")], "{\"message\": \"Internal server error\"}"),
        of(201, &[("content-encoding", "gzip")], "0123456789"),
    ]
}

/// What hyper makes of one request, and how it writes this answer.
async fn by_hyper(sent: &[u8], answer: Response<Full<Bytes>>) -> (Seen, Vec<u8>) {
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    far.write_all(sent).await.unwrap();
    far.shutdown().await.unwrap();
    let found = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let (found, answer) = (found.clone(), answer.clone());
        async move {
            let request = seen(request).await;
            found.lock().unwrap().get_or_insert(request);
            Ok::<_, Infallible>(answer)
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(near), service);
    let mut written = Vec::new();
    let (_ended, read) = tokio::join!(served, far.read_to_end(&mut written));
    read.unwrap();
    let found = found.lock().unwrap().take().expect("hyper takes what is usual");
    (found, written)
}

fn accepted(sent: &[u8]) -> Option<usize> {
    usual(&Bytes::copy_from_slice(sent)).map(|(_, _, bytes)| bytes)
}

/// Is what is taken for usual the same to hyper, and the answer the same to the client?
async fn check(sent: &[u8], answer: Response<Full<Bytes>>) {
    let Some((request, raw_head, bytes)) = usual(&Bytes::copy_from_slice(sent)) else { return };
    assert!(sent.starts_with(&raw_head));
    let mut out = Vec::new();
    let long = write::<Full<Bytes>>(answer.clone().map(Either::Left), false, &mut out);
    out.extend_from_slice(&long.unwrap_or_default());
    let (theirs, written) = by_hyper(&sent[..bytes], answer).await;
    assert_eq!(seen(request).await, theirs);
    assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&written));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[tokio::test]
async fn usual_requests_and_answers_are_the_same_by_hyper() {
    for sent in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET /a%20b/c?d=e&f HTTP/1.1\r\nHost: x\r\nX-Odd:  two  words \r\nx-odd: again\r\nEmpty:\r\n\r\n",
        "GET http://other/path HTTP/1.1\r\nhost: x\r\nConnection: Keep-Alive\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyGET /next",
        "DELETE /p HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        "PURGE /p HTTP/1.1\nhost: only-newlines\n\n",
    ] {
        assert!(accepted(sent.as_bytes()).is_some(), "{sent}");
        for answer in answers() {
            check(sent.as_bytes(), answer).await;
        }
    }
}

#[test]
fn anything_else_is_not_usual() {
    for sent in [
        "",
        "\r\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\n",
        "HEAD / HTTP/1.1\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: keep-alive, x-b\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
        "GET / HTTP/1.1\r\nx: a\r\n b\r\n\r\n",
        "GET /\u{0}a HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\nab",
        "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\na",
        "POST / HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\ncontent-length: +2\r\n\r\nab",
        "POST / HTTP/1.1\r\ncontent-length: 2, 2\r\n\r\nab",
        "POST / HTTP/1.1\r\ncontent-length:\r\n\r\nab",
        "POST / HTTP/1.1\r\ncontent-length: 18446744073709551617\r\n\r\na",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(accepted(sent.as_bytes()), None, "{sent:?}");
    }
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX));
    assert!(accepted(many.as_bytes()).is_some());
    assert_eq!(accepted(many.replacen("\r\n", "\r\na: b\r\n", 1).as_bytes()), None);
}

#[test]
fn answers_that_say_more_than_their_body_are_not_usual() {
    let whole = |status: u16| {
        let mut answer = Response::new(Either::<_, Full<Bytes>>::Left(Full::from("ok")));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer
    };
    for status in [200, 201, 404, 429, 500, 504] {
        assert!(is_usual(&whole(status)), "{status}");
    }
    for status in [100, 101, 204, 304, 299, 600] {
        assert!(!is_usual(&whole(status)), "{status}");
    }
    for name in ["content-length", "transfer-encoding", "connection", "upgrade", "trailer"] {
        let mut answer = whole(200);
        answer.headers_mut().insert(name, HeaderValue::from_static("2"));
        assert!(!is_usual(&answer), "{name}");
    }
    assert!(!is_usual(&Response::new(Either::Right::<Full<Bytes>, _>(Full::<Bytes>::from("pieces")))));
}

#[test]
fn a_long_body_is_not_copied_and_the_last_answer_says_so() {
    let body = Bytes::from(vec![b'x'; COPIED_BYTES_MAX + 1]);
    let mut out = Vec::new();
    let answer = Response::new(Either::<_, Full<Bytes>>::Left(Full::new(body.clone())));
    assert_eq!(write(answer, true, &mut out), Some(body));
    let head = String::from_utf8(out).unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 32769\r\ndate: "),
        "{head}"
    );
    let date = head.trim_end().rsplit_once("date: ").unwrap().1;
    assert!(httpdate::parse_http_date(date).unwrap().elapsed().unwrap() < Duration::from_secs(60), "{date}");
    assert!(head.ends_with(" GMT\r\n\r\n"), "{head}");
}

/// Requests that may be usual, and may have a byte that doesn't belong there.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b=c HTTP/1.1\r\n",
        "GET /%zz/\u{e9} HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.1\r\n",
        "DELETE http://h/x HTTP/1.1\n",
        "GET / HTTP/1.0\r\n",
        "\r\nGET / HTTP/1.1\r\n",
    ]);
    let header = prop::sample::select(vec![
        "host: x\r\n",
        "Content-Length: 3\r\n",
        "content-length: 0\r\n",
        "CONTENT-LENGTH: 3 \r\n",
        "transfer-encoding: chunked\r\n",
        "connection: keep-alive\r\n",
        "Connection: close\r\n",
        "expect: 100-continue\r\n",
        "x-value: \u{e9}\t!\r\n",
        "X-Value:\r\n",
        "x-long:   spaces   \n",
        " folded\r\n",
    ]);
    let rest = prop::sample::select(vec!["", "abc", "abcGET / HTTP/1.1\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"]);
    let odd = prop::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    (line, prop::collection::vec(header, 0..4), rest, odd).prop_map(|(line, headers, rest, odd)| {
        let mut sent = [line, &headers.concat(), "\r\n", rest].concat().into_bytes();
        if let Some((place, byte)) = odd {
            let place = place.index(sent.len());
            sent[place] = byte;
        }
        sent
    })
}

proptest! {
    #[test]
    fn whatever_is_taken_for_usual_is_the_same_by_hyper(sent in request(), which in 0..5_usize) {
        runtime().block_on(check(&sent, answers().swap_remove(which)));
    }
}

/// What the test above tries is worth it.
#[test]
fn of_such_requests_many_are_usual_and_many_are_not() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tried = 400;
    let usual = (0..tried)
        .filter(|_| accepted(&request().new_tree(&mut runner).expect("a request").current()).is_some())
        .count();
    assert!((tried / 10..tried * 9 / 10).contains(&usual), "{usual} of {tried}");
}
