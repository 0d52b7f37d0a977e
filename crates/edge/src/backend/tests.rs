//! Against a TLS server that asks its clients for a certificate.

use pitbird_snapshot::{PrivateKey, Slot};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::WebPkiClientVerifier;

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

/// As API Gateway makes them: signed by itself.
fn client_certificate(id: &str) -> ClientCertificate {
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().expect("a key");
    ClientCertificate {
        id: id.to_owned(),
        certificate_pem: params.self_signed(&key).expect("a certificate").pem(),
        private_key_pem: PrivateKey(key.serialize_pem()),
        slot: Slot::default(),
    }
}

/// A server that lets in who shows this certificate, and tells how many connections it has had; with whom to trust to reach it.
async fn server(of: &ClientCertificate) -> (u16, Arc<RootCertStore>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (mut known, mut roots) = (RootCertStore::empty(), RootCertStore::empty());
    known.add(CertificateDer::from_pem_slice(of.certificate_pem.as_bytes()).expect("PEM")).expect("a root");
    roots.add(made.cert.der().clone()).expect("a root");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(known), provider.clone());
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("PEM");
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_client_cert_verifier(verifier.build().expect("a verifier"));
    let config = config.with_single_cert(vec![made.cert.der().clone()], key).expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        for count in 1.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {
                    let body = count.to_string();
                    let length = body.len();
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, Arc::new(roots))
}

fn request(port: u16) -> Request<Full<Bytes>> {
    Request::get(format!("https://localhost:{port}/")).body(Full::default()).expect("a request")
}

#[tokio::test]
async fn a_stages_certificate_is_shown_to_who_asks_for_one() {
    let (known, other) = (client_certificate("c1"), client_certificate("c2"));
    let (port, roots) = server(&known).await;
    let backend = Backend { roots: OnceLock::from(Some(roots)), ..Backend::new() };
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let answer = backend.send(request(port), LIMIT, Some(&known)).await.expect("let in");
        assert_eq!(answer.status(), 200);
        bodies.push(answer.into_body());
    }
    assert_eq!(bodies[0], bodies[1], "its connection is kept");
    for refused in [None, Some(&other)] {
        let answer = backend.send(request(port), LIMIT, refused).await;
        assert!(matches!(answer, Err(Unanswered::Network)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_none_is_nothing_to_show() {
    let known = client_certificate("c1");
    let (port, roots) = server(&known).await;
    let backend = Backend { roots: OnceLock::from(Some(roots)), ..Backend::new() };
    let broken = ClientCertificate { certificate_pem: "none".to_owned(), ..client_certificate("c3") };
    let answer = backend.send(request(port), LIMIT, Some(&broken)).await;
    assert!(matches!(answer, Err(Unanswered::Network)), "{answer:?}");
}
