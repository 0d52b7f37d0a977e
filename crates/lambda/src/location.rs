//! Where a caller gets the code of a function or a layer: a URL that this server has presigned as S3 would, good for ten
//! minutes, and only while the function or the layer still has that code.
//!
//! Whoever holds such a URL needs no key. What it opens is in its path, which the signature covers; the key that signs is
//! made anew with every start of the server and never leaves it.

use std::fmt;

use bytes::Bytes;
use pitbird_names::{Account, Region, Scope};
use pitbird_records::{FunctionVersion, LayerVersion, key, prefix};
use pitbird_sigv4 as sigv4;
use pitbird_store::Store;
use sigv4::{Credentials, Payload, Request, Secret};

use crate::update::Update;
use crate::{Entropy, Error, find::Records};

/// How long a URL is good, seconds. Source: Lambda API reference, `FunctionCodeLocation`: "a presigned URL that's valid for
/// 10 minutes".
pub const EXPIRES_S: u64 = 600;
/// What the paths of all such URLs begin with.
pub const PATH: &str = "/_pitbird/code/";
/// The access key id in such URLs. No caller has it: nobody's begins so.
const KEY_ID: &str = "ASIAPITBIRDLAMBDACODE";
const SERVICE: &str = "s3";

/// What has code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    Function(&'a str),
    Layer(&'a str),
}

/// Makes such URLs and opens them.
pub struct Locations {
    store: Store,
    secret: String,
}

impl fmt::Debug for Locations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locations").finish_non_exhaustive()
    }
}

/// Why a URL opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    /// It isn't one that this server has made for this request, or its time is over.
    #[error(transparent)]
    Signature(#[from] sigv4::Error),
    /// Function or layer are gone, or have other code now.
    #[error("the code belongs to nothing any more")]
    Gone,
    #[error(transparent)]
    Records(#[from] Error),
    #[error(transparent)]
    Store(#[from] pitbird_store::Error),
}

impl Locations {
    pub fn new(store: Store, entropy: Entropy) -> Locations {
        Locations { store, secret: format!("{:032x}{:032x}", entropy(), entropy()) }
    }

    /// The URL of code of an owner's, for who reached us under `endpoint` (`http://127.0.0.1:4566`).
    pub(crate) fn url(
        &self,
        endpoint: &str,
        now_ms: i64,
        scope: &Scope,
        owner: Owner<'_>,
        sha256_hex: &str,
    ) -> String {
        let (kind, name) = match owner {
            Owner::Function(name) => ("functions", name),
            Owner::Layer(name) => ("layers", name),
        };
        let Scope { account, region } = scope;
        let path = format!("{PATH}{region}/{account}/{kind}/{name}/{sha256_hex}.zip");
        let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
        let headers = [("host", host.as_bytes())];
        let request = Request { method: "GET", path: &path, query: "", headers: &headers };
        let credentials =
            Credentials { access_key_id: KEY_ID, secret_access_key: &self.secret, session_token: None };
        let now_s = u64::try_from(now_ms / 1000).unwrap_or_default();
        let query = sigv4::presign(&request, &credentials, region.as_str(), SERVICE, now_s, EXPIRES_S);
        format!("{endpoint}{path}?{query}")
    }

    /// The code that a request for such a URL asks for. Reads and hashes a whole package on the caller's thread.
    pub fn open(&self, request: &Request<'_>, now_epoch_s: u64) -> Result<Bytes, Unopened> {
        let expected = sigv4::Expected { service: Some(SERVICE), region: None };
        let secret = |key: &str| {
            (key == KEY_ID).then(|| Secret { secret_access_key: self.secret.clone(), session: None })
        };
        sigv4::verify(request, &Payload::Bytes(b""), now_epoch_s, &expected, secret)?;
        let (scope, owner, sha256_hex) = parse(request.path).ok_or(Unopened::Gone)?;
        if !self.has(&scope, owner, sha256_hex)? {
            return Err(Unopened::Gone);
        }
        match self.store.blob(sha256_hex) {
            Err(pitbird_store::Error::NoSuchBlob(_)) => Err(Unopened::Gone),
            opened => Ok(opened?),
        }
    }

    /// Does one of the owner's versions have this code, or the update of it that is under way?
    fn has(&self, scope: &Scope, owner: Owner<'_>, sha256_hex: &str) -> Result<bool, Error> {
        let store = &self.store;
        match owner {
            Owner::Function(name) => {
                let update: Option<Update> = Records::get(store, &key(scope, &[name]))?;
                let versions: Vec<FunctionVersion> = Records::list(store, &prefix(scope, &[name]))?;
                let mut codes = versions.iter().map(|version| &version.code);
                Ok(codes.any(|code| code.sha256_hex == sha256_hex)
                    || update.is_some_and(|update| update.code.sha256_hex == sha256_hex))
            }
            Owner::Layer(name) => {
                let versions: Vec<LayerVersion> = Records::list(store, &prefix(scope, &[name]))?;
                Ok(versions.iter().any(|version| version.code.sha256_hex == sha256_hex))
            }
        }
    }
}

/// `/_pitbird/code/{region}/{account}/{functions|layers}/{name}/{sha256}.zip`, taken apart.
fn parse(path: &str) -> Option<(Scope, Owner<'_>, &str)> {
    let mut pieces = path.strip_prefix(PATH)?.split('/');
    let region = Region::parse(pieces.next()?)?;
    let account = Account::parse(pieces.next()?)?;
    let (kind, name) = (pieces.next()?, pieces.next()?);
    let owner = match kind {
        "functions" => Owner::Function(name),
        "layers" => Owner::Layer(name),
        _ => return None,
    };
    let sha256_hex = pieces.next()?.strip_suffix(".zip")?;
    pieces.next().is_none().then_some((Scope { account, region }, owner, sha256_hex))
}
