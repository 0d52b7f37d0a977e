//! TLS on the server's own port: with a certificate that it was given, else with ones made by an authority of its own.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::{Ticketer, default_provider, sign};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// Names that certificates are kept for; when there are more, all are made anew.
const NAMES_MAX: usize = 1024;
/// What clients that give no name, as those that connect to an address, are shown.
const LOCAL_NAMES: [&str; 4] = ["localhost", "*.localhost", "127.0.0.1", "::1"];
/// How long an authority is good for.
const AUTHORITY_DAYS: i64 = 3650;
/// How long its certificates are; browsers take none of more than 398 days.
const CERTIFICATE_DAYS: i64 = 390;
/// How long a key's use began before now, for clocks that go slow.
const BEFORE: Duration = Duration::days(1);

/// Where keys and certificates come from. Nothing is read or made before the first client wants TLS, but for a
/// certificate that was given: one that can't be used is better told at the start.
pub enum Tls {
    Given(TlsAcceptor),
    Made { folder: PathBuf, acceptor: OnceLock<Option<TlsAcceptor>> },
}

impl Tls {
    /// Reads a certificate chain and its key, both PEM.
    ///
    /// # Errors
    /// When a file can't be read, or the two don't belong together.
    pub fn given(certificate: &Path, key: &Path) -> Result<Tls> {
        let read = |path: &Path| {
            std::fs::read(path)
                .with_context(|| format!("can't read the certificate or key in {}", path.display()))
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(certificate)?)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{} holds no PEM", certificate.display()))?;
        if chain.is_empty() {
            bail!("{} holds no certificate", certificate.display());
        }
        let private = PrivateKeyDer::from_pem_slice(&read(key)?)
            .with_context(|| format!("{} holds no private key", key.display()))?;
        let certified = CertifiedKey::from_der(chain, private, &default_provider())
            .with_context(|| format!("{} isn't the key of {}", key.display(), certificate.display()))?;
        Ok(Tls::Given(acceptor(Arc::new(One(Arc::new(certified))))?))
    }

    /// Certificates by an authority whose key and certificate are in `folder`, or will be.
    pub fn made(folder: PathBuf) -> Tls {
        Tls::Made { folder, acceptor: OnceLock::new() }
    }

    /// What accepts a client, if there is a certificate to show.
    pub fn acceptor(&self) -> Option<&TlsAcceptor> {
        match self {
            Tls::Given(acceptor) => Some(acceptor),
            Tls::Made { folder, acceptor: made } => {
                let make = || {
                    let authority = Authority::open(folder)?;
                    acceptor(Arc::new(authority))
                };
                let log = |error: &anyhow::Error| tracing::error!(error = %format!("{error:#}"), "no TLS");
                made.get_or_init(|| make().inspect_err(log).ok()).as_ref()
            }
        }
    }
}

fn acceptor(certificates: Arc<dyn ResolvesServerCert>) -> Result<TlsAcceptor> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = Ticketer::new()?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// One certificate for whatever name.
#[derive(Debug)]
struct One(Arc<CertifiedKey>);

impl ResolvesServerCert for One {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Makes a certificate for each name that clients ask for.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// By name; empty for those who give none.
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Authority {
    /// The authority of a folder, which is made with the first.
    fn open(folder: &Path) -> Result<Authority> {
        let (key_file, certificate_file) = (folder.join("authority.key"), folder.join("authority.pem"));
        let key = match std::fs::read_to_string(&key_file) {
            Ok(pem) => KeyPair::from_pem(&pem)
                .with_context(|| format!("{} holds no private key", key_file.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(folder)?;
                let key = KeyPair::generate()?;
                write_whole(&key_file, &key.serialize_pem())?;
                key
            }
            Err(error) => {
                return Err(error).with_context(|| format!("can't read {}", key_file.display()));
            }
        };
        let params = authority_params()?;
        if !certificate_file.exists() {
            write_whole(&certificate_file, &params.self_signed(&key)?.pem())?;
        }
        Ok(Authority { issuer: Issuer::new(params, key), made: Mutex::default() })
    }

    fn certified(&self, name: Option<&str>) -> Result<Arc<CertifiedKey>> {
        let known = name.unwrap_or_default();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = made.get(known) {
            return Ok(found.clone());
        }
        let names = match name {
            Some(name) => vec![name.to_owned()],
            None => LOCAL_NAMES.map(str::to_owned).to_vec(),
        };
        let certified = Arc::new(self.issue(names)?);
        if made.len() >= NAMES_MAX {
            made.clear();
        }
        made.insert(known.to_owned(), certified.clone());
        Ok(certified)
    }

    fn issue(&self, names: Vec<String>) -> Result<CertifiedKey> {
        let mut params = CertificateParams::new(names.clone())?;
        // A longer one than X.509 lets stand here is among the alternative names, which is what counts.
        if let Some(name) = names.first().filter(|name| name.len() <= 64) {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        lasting(&mut params, CERTIFICATE_DAYS);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = sign::any_supported_type(&private)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], signing))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let made = self.certified(hello.server_name());
        made.inspect_err(|error| tracing::warn!(%error, "no certificate for a client's name")).ok()
    }
}

fn authority_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "pitbird's own authority");
    lasting(&mut params, AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn lasting(params: &mut CertificateParams, days: i64) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - BEFORE;
    params.not_after = now + Duration::days(days);
}

/// Writes a file that nobody else may read, whole or not at all.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        let unfinished = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(unfinished, path)
    };
    write().with_context(|| format!("can't write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_stays_the_same_and_its_names_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::open(folder.path()).unwrap();
        let pem = std::fs::read(folder.path().join("authority.pem")).unwrap();
        let once = first.certified(Some("api.example.com")).unwrap();
        assert!(Arc::ptr_eq(&once, &first.certified(Some("api.example.com")).unwrap()));
        assert!(first.certified(None).is_ok());
        let again = Authority::open(folder.path()).unwrap();
        assert_eq!(std::fs::read(folder.path().join("authority.pem")).unwrap(), pem);
        assert!(again.certified(Some(&format!("{}.example.com", "a".repeat(63)))).is_ok());
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        std::fs::write(&certificate, "none").unwrap();
        let error = |result: Result<Tls>| format!("{:#}", result.err().unwrap());
        assert!(error(Tls::given(&certificate, &key)).contains("holds no certificate"));
        let authority = Authority::open(folder.path()).unwrap();
        assert!(authority.certified(None).is_ok());
        let own = folder.path().join("authority.pem");
        std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(error(Tls::given(&own, &key)).contains("isn't the key of"));
        assert!(Tls::given(&own, &folder.path().join("authority.key")).is_ok());
    }
}
