//! Against TLS servers: one that asks its clients for a certificate, and some whose own nobody knows.

use pitbird_snapshot::{PrivateKey, Slot};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use time::OffsetDateTime;
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
    (serve(config).await, Arc::new(roots))
}

/// A server that tells how many connections it has had.
async fn serve(config: ServerConfig) -> u16 {
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
    port
}

/// A certificate of a server, and its key: `host` is whom it names, `years` when it ends, from now on.
fn server_certificate(host: &str, years: i32, is_ca: bool) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new([host.to_owned()]).expect("a host");
    let this_year = OffsetDateTime::now_utc().year();
    params.not_before = rcgen::date_time_ymd(this_year - 3, 1, 1);
    params.not_after = rcgen::date_time_ymd(this_year + years, 1, 1);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params.distinguished_name.push(DnType::CommonName, format!("{host} {is_ca}"));
    (params, KeyPair::generate().expect("a key"))
}

async fn serve_with(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("PEM");
    let config = config.expect("versions").with_no_client_auth().with_single_cert(chain, key);
    serve(config.expect("a certificate")).await
}

fn request(port: u16) -> Request<Full<Bytes>> {
    Request::get(format!("https://localhost:{port}/")).body(Full::default()).expect("a request")
}

fn shown(certificate: &ClientCertificate) -> Tls<'_> {
    Tls { certificate: Some(certificate), ..Tls::default() }
}

#[tokio::test]
async fn a_stages_certificate_is_shown_to_who_asks_for_one() {
    let (known, other) = (client_certificate("c1"), client_certificate("c2"));
    let (port, roots) = server(&known).await;
    let backend = Backend { roots: OnceLock::from(Some(roots)), ..Backend::new() };
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let answer = backend.send(request(port), LIMIT, shown(&known)).await.expect("let in");
        assert_eq!(answer.status(), 200);
        bodies.push(answer.into_body());
    }
    assert_eq!(bodies[0], bodies[1], "its connection is kept");
    for refused in [Tls::default(), shown(&other)] {
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
    let answer = backend.send(request(port), LIMIT, shown(&broken)).await;
    assert!(matches!(answer, Err(Unanswered::Network)), "{answer:?}");
}

#[tokio::test]
async fn of_an_authority_that_nobody_knows_the_name_and_the_dates_are_verified() {
    let (root, root_key) = server_certificate("the root", 3, true);
    let root_der = root.self_signed(&root_key).expect("a certificate").der().clone();
    let issuer = Issuer::from_params(&root, &root_key);
    let (of_another, out_of_date) =
        (Some("Host name 'localhost' does not match"), Some("validity check failed"));
    for (what, host, years, is_ca, chain_length, refused) in [
        ("signed itself", "localhost", 3, false, 0, None),
        ("signed itself, as an authority", "localhost", 3, true, 0, None),
        ("a private authority's", "localhost", 3, false, 2, None),
        ("a private authority's, which isn't shown", "localhost", 3, false, 1, Some("unable to find valid")),
        ("another host's", "example.com", 3, false, 0, of_another),
        ("another host's, as an authority", "example.com", 3, true, 0, of_another),
        ("another host's of a private authority", "example.com", 3, false, 2, of_another),
        ("out of date", "localhost", -1, false, 0, out_of_date),
        ("out of date, as an authority", "localhost", -1, true, 0, out_of_date),
        ("out of date, of a private authority", "localhost", -1, false, 2, out_of_date),
    ] {
        let (params, key) = server_certificate(host, years, is_ca);
        let chain = match chain_length {
            0 => vec![params.self_signed(&key).expect("a certificate").der().clone()],
            length => {
                let made = params.signed_by(&key, &issuer).expect("a certificate").der().clone();
                [made, root_der.clone()].into_iter().take(length).collect()
            }
        };
        let port = serve_with(chain, &key).await;
        let backend = Backend::new();
        let unchecked = Tls { trust: Trust::AnyAuthority, certificate: None };
        let answer = backend.send(request(port), LIMIT, unchecked).await;
        match (&answer, refused) {
            (Ok(_), None) => {}
            (Err(error @ Unanswered::Certificate(_)), Some(words)) if error.to_string().contains(words) => {}
            _ => panic!("{what}: {answer:?}"),
        }
        // The connection that is kept is nobody else's.
        let answer = backend.send(request(port), LIMIT, Tls::default()).await;
        assert!(matches!(answer, Err(Unanswered::Certificate(_))), "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn a_stages_certificate_is_shown_to_a_server_of_any_authority() {
    let (known, other) = (client_certificate("c1"), client_certificate("c2"));
    let (port, _) = server(&known).await;
    let backend = Backend::new();
    let tls = |certificate| Tls { trust: Trust::AnyAuthority, certificate: Some(certificate) };
    assert!(backend.send(request(port), LIMIT, tls(&known)).await.is_ok());
    assert!(backend.send(request(port), LIMIT, tls(&other)).await.is_err());
    assert!(backend.send(request(port), LIMIT, shown(&known)).await.is_err());
}
