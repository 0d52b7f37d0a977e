//! What clients may speak on the server's port: HTTP/1.1, HTTP/2 and TLS, with the same answers.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pitbird_testkit::{Calls, Server, ServerOptions, done};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

/// A server with an API that answers 200 at `/`, and the path of that.
fn serving(data_dir: &Path) -> (Server, String) {
    let options = ServerOptions { data_dir: Some(data_dir.to_owned()), ..ServerOptions::default() };
    let server = Server::start_with(BINARY, options).unwrap_or_else(|ended| panic!("no server: {ended:?}"));
    let calls = Calls::new(&server.endpoint);
    let (api, _) = calls.mock_api("transport", 200);
    calls.deploy(&api, json!({ "stageName": "prod" }));
    let path = format!("/_aws/execute-api/{api}/prod/");
    (server, path)
}

fn address(server: &Server) -> &str {
    server.endpoint.trim_start_matches("http://")
}

fn ask(scheme: &str, address: &str, path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("{scheme}://{address}{path}")).body(Empty::new()).expect("a request")
}

async fn check(answer: Response<hyper::body::Incoming>, version: Version) {
    assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
    assert!(answer.headers().contains_key("x-amzn-requestid"));
    assert!(answer.into_body().collect().await.expect("a body").to_bytes().is_empty());
}

#[tokio::test]
async fn http2_by_prior_knowledge_carries_requests_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, path) = serving(folder.path());
    let stream = TcpStream::connect(address(&server)).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (mut sender, request) = (sender.clone(), ask("http", address(&server), &path));
        asked.spawn(async move { check(sender.send_request(request).await.unwrap(), Version::HTTP_2).await });
    }
    while let Some(done) = asked.join_next().await {
        done.unwrap();
    }
    drop(sender);
    connection.await.unwrap().unwrap();
}

/// A client that trusts the server's own authority and speaks `protocol`.
fn trusting(data_dir: &Path, protocol: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(data_dir.join("tls/authority.pem")).expect("a certificate"))
        .expect("a root");
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

async fn shake(config: &Arc<ClientConfig>, address: &str, name: &str) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    TlsConnector::from(config.clone()).connect(name, stream).await.expect("a handshake")
}

#[tokio::test]
async fn tls_shows_certificates_of_the_servers_own_authority() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, path) = serving(folder.path());
    // The first handshake makes the authority; who doesn't know it yet, refuses it.
    let unknown =
        ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let stream = TcpStream::connect(address(&server)).await.unwrap();
    let refused =
        TlsConnector::from(Arc::new(unknown)).connect("localhost".try_into().unwrap(), stream).await;
    assert!(refused.unwrap_err().to_string().contains("UnknownIssuer"));

    let one = trusting(folder.path(), "http/1.1");
    for name in ["localhost", "127.0.0.1", "abc.execute-api.localhost", "api.example.com"] {
        let stream = shake(&one, address(&server), name).await;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request =
            Request::get(&path).header("host", address(&server)).body(Empty::<Bytes>::new()).unwrap();
        check(sender.send_request(request).await.unwrap(), Version::HTTP_11).await;
        drop(sender);
        connection.await.unwrap().unwrap();
    }
    let again = shake(&one, address(&server), "localhost").await;
    assert_eq!(again.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));

    let two = trusting(folder.path(), "h2");
    let stream = shake(&two, address(&server), "localhost").await;
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = ask("https", address(&server), &path);
    check(sender.send_request(request).await.unwrap(), Version::HTTP_2).await;
    drop(sender);
    connection.await.unwrap().unwrap();

    // A connection that never asked anything holds nobody up.
    let began = std::time::Instant::now();
    server.stop();
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    drop(again);
    let (server, _) = serving(folder.path());
    shake(&two, address(&server), "localhost").await;
}

/// A domain of either kind of API is reached by the name that the handshake asks for, whichever HTTP is spoken within.
#[tokio::test]
async fn a_domain_is_served_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let (server, path) = serving(folder.path());
    let calls = Calls::new(&server.endpoint);
    let rest_api = path.split('/').nth(3).expect("an API");
    let name = "shop.example.com";
    done(calls.rest(
        "POST",
        "/v2/domainnames",
        json!({
            "domainName": name,
            "domainNameConfigurations": [{"certificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/a"}],
        }),
    ));
    // The HTTP API asks the REST API's stage, by this server's plain port.
    let target = format!("{}{path}", server.endpoint);
    let made = json!({"name": "shop", "protocolType": "HTTP", "target": target, "routeKey": "GET /"});
    let http_api = done(calls.rest("POST", "/v2/apis", made)).json();
    let http_api = http_api["apiId"].as_str().expect("an id");
    for (api, stage, key) in [(rest_api, "prod", "rest"), (http_api, "$default", "http")] {
        let mapping = json!({"apiId": api, "stage": stage, "apiMappingKey": key});
        done(calls.rest("POST", &format!("/v2/domainnames/{name}/apimappings"), mapping));
    }
    shake_once(folder.path(), &server).await;

    let one = trusting(folder.path(), "http/1.1");
    for (place, id) in [("/rest", "x-amzn-requestid"), ("/http", "apigw-requestid")] {
        let stream = shake(&one, address(&server), name).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::get(place).header("host", name).body(Empty::<Bytes>::new()).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key(id)), (200, true), "{place}");
        answer.into_body().collect().await.expect("a body");
        drop(sender);
        connection.await.unwrap().unwrap();
    }

    let two = trusting(folder.path(), "h2");
    let stream = shake(&two, address(&server), name).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for (place, status) in [("/rest", 200), ("/http", 200), ("/other", 403)] {
        let answer = sender.send_request(ask("https", name, place)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (status, Version::HTTP_2), "{place}");
        answer.into_body().collect().await.expect("a body");
    }
    drop(sender);
    connection.await.unwrap().unwrap();
}

/// The first handshake makes the authority that later ones are trusted by.
async fn shake_once(data_dir: &Path, server: &Server) {
    let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let stream = TcpStream::connect(address(server)).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(nobody)).connect(name, stream).await.expect_err("nobody is trusted");
    assert!(data_dir.join("tls/authority.pem").exists());
}

/// One request on a connection of its own; its status line, or what went wrong.
fn fetch_alone(address: &str, path: &str) -> std::io::Result<String> {
    said(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}"))
}

/// The status line that answers a request written by hand.
fn said(address: &str, head: &str) -> std::io::Result<String> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "{head}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[test]
fn a_request_is_for_one_host_and_framed_in_one_way() {
    let folder = tempfile::tempdir().unwrap();
    let (server, path) = serving(folder.path());
    let address = address(&server);
    let api = path.split('/').nth(3).unwrap();
    let (ok, bad) = ("HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request");
    let host = format!("{api}.execute-api.us-east-1.amazonaws.com");
    for (head, expected) in [
        (format!("GET {path} HTTP/1.1"), bad),
        (format!("GET {path} HTTP/1.1\r\nHost: a\r\nHost: b"), bad),
        (format!("GET {path} HTTP/1.1\r\nHost: a"), ok),
        (format!("GET {path} HTTP/1.0"), "HTTP/1.0 200 OK"),
        (
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked"),
            "HTTP/1.1 501 Not Implemented",
        ),
        (format!("GET /prod/ HTTP/1.1\r\nHost: {host}"), ok),
        (format!("GET http://{host}/prod/ HTTP/1.1\r\nHost: elsewhere"), ok),
        (format!("GET http://{host}/prod/ HTTP/1.1"), ok),
        (format!("GET http://elsewhere/prod/ HTTP/1.1\r\nHost: {host}"), "HTTP/1.1 404 Not Found"),
    ] {
        assert_eq!(said(address, &head).unwrap(), expected, "{head}");
    }
}

fn tell(signal: &str, server: &Server) {
    let told = std::process::Command::new("kill").args([signal, &server.pid().to_string()]).status();
    assert!(told.is_ok_and(|status| status.success()), "the server runs");
}

#[test]
fn an_end_that_is_ordered_in_a_restart_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, _) = serving(folder.path());
    tell("-USR2", &server);
    assert!(server.stop().success(), "it ends once the requests under way are answered");
}

#[test]
fn a_restart_in_a_restart_ends_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (server, path) = serving(folder.path());
    let address = address(&server).to_owned();
    for _ in 0..3 {
        for _ in 0..100 {
            tell("-USR2", &server);
        }
        assert_eq!(fetch_alone(&address, &path).expect("an answer"), "HTTP/1.1 200 OK");
    }
}

#[test]
fn a_restart_turns_nobody_away_and_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (server, path) = serving(folder.path());
    let address = address(&server).to_owned();
    let asked = AtomicU64::new(0);
    let (is_over, failed) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    match fetch_alone(&address, &path) {
                        Ok(answer) if answer == "HTTP/1.1 200 OK" => asked.fetch_add(1, Ordering::Relaxed),
                        other => return failed.lock().unwrap().push(other),
                    };
                }
            });
        }
        for _ in 0..3 {
            let before = asked.load(Ordering::Relaxed);
            let generation = || {
                pitbird_testkit::get(&format!("{}/_pitbird/health", server.endpoint)).json()["generation"]
                    .as_u64()
            };
            // A run counts its changes: what was kept is the first of the next run.
            Calls::new(&server.endpoint).mock_api("another", 200);
            let before_restart = generation().unwrap();
            let status =
                std::process::Command::new("kill").args(["-USR2", &server.pid().to_string()]).status();
            assert!(status.unwrap().success());
            pitbird_testkit::wait_for("another run", Duration::from_secs(30), || {
                (generation()? < before_restart).then_some(())
            });
            pitbird_testkit::wait_for("answers", Duration::from_secs(30), || {
                (asked.load(Ordering::Relaxed) > before + 50).then_some(())
            });
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(asked.into_inner() > 150);
}
