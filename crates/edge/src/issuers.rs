//! The keys of those who issue tokens, fetched when a token comes and kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use pitbird_jwt::{Claims, KEY_SET_BYTES_MAX, KeySet, Rejection, Rules, verify};
use serde::Deserialize;
use thiserror::Error;

use crate::backend::{Backend, Tls};

/// How long keys are kept, and how long each of the two answers may take. Source: API Gateway developer guide, "Control access to
/// HTTP APIs with JWT authorizers".
const KEPT: Duration = Duration::from_secs(2 * 60 * 60);
const FETCH_TIMEOUT: Duration = Duration::from_millis(1500);
/// Who names keys that an issuer doesn't have can't make us ask it more often.
const FETCHED_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// An issuer that couldn't be asked isn't asked again at once: requests would queue up behind its silence.
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// Issuers whose keys are kept.
const ISSUERS_MAX: usize = 256;

/// Why an issuer's keys can't be had.
#[derive(Debug, Error)]
pub(crate) enum NoKeys {
    #[error("{0} can't be asked: {1}")]
    Unreachable(String, String),
    #[error("{0} doesn't answer with what is wanted")]
    Answer(String),
    #[error("{0} couldn't be asked just now")]
    JustNow(String),
}

/// Where an issuer's keys are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeysAt {
    /// Where its `openid-configuration` says.
    Discovered,
    /// At `{issuer}/.well-known/jwks.json`, where user pools have them.
    UserPool,
}

#[derive(Debug, Default)]
pub(crate) struct Issuers {
    /// The keys of user pools that whoever runs the server gave, by the pools' ids: nobody is asked for these.
    pub given: HashMap<String, Arc<KeySet>>,
    known: Mutex<HashMap<String, Arc<Issuer>>>,
}

/// One issuer; whoever needs its keys while they are fetched waits for that.
#[derive(Debug, Default)]
struct Issuer {
    fetched: tokio::sync::Mutex<Fetched>,
}

#[derive(Debug, Default)]
struct Fetched {
    keys: Option<(Instant, Arc<KeySet>)>,
    failed: Option<Instant>,
}

#[derive(Deserialize)]
struct Discovery {
    jwks_uri: String,
}

impl Issuers {
    /// What a token claims, held against its issuer's keys. Keys that are kept are fetched anew where they lack the token's.
    pub async fn verify(
        &self,
        backend: &Backend,
        token: &str,
        rules: &Rules<'_>,
        at: KeysAt,
        now_s: i64,
    ) -> Result<Result<Claims, Rejection>, NoKeys> {
        if let Some(keys) = pool_of(rules.issuer).and_then(|pool| self.given.get(pool)) {
            return Ok(verify(token, keys, rules, now_s));
        }
        let issuer = self.issuer(rules.issuer);
        let keys = issuer.keys(backend, rules.issuer, at, KEPT).await?;
        match verify(token, &keys, rules, now_s) {
            Err(Rejection::UnknownKey) => {
                let keys = issuer.keys(backend, rules.issuer, at, FETCHED_AGAIN_AFTER).await?;
                Ok(verify(token, &keys, rules, now_s))
            }
            said => Ok(said),
        }
    }

    fn issuer(&self, name: &str) -> Arc<Issuer> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issuer) = known.get(name) {
            return issuer.clone();
        }
        if known.len() >= ISSUERS_MAX
            && let Some(any) = known.keys().next().cloned()
        {
            known.remove(&any);
        }
        known.entry(name.to_owned()).or_default().clone()
    }
}

impl Issuer {
    /// Its keys, fetched no longer ago than `kept`.
    async fn keys(
        &self,
        backend: &Backend,
        issuer: &str,
        at: KeysAt,
        kept: Duration,
    ) -> Result<Arc<KeySet>, NoKeys> {
        let mut fetched = self.fetched.lock().await;
        if let Some((at, known)) = &fetched.keys
            && at.elapsed() < kept
        {
            return Ok(known.clone());
        }
        if fetched.failed.is_some_and(|at| at.elapsed() < FAILURE_KEPT) {
            return Err(NoKeys::JustNow(issuer.to_owned()));
        }
        match fetch(backend, issuer, at).await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *fetched = Fetched { keys: Some((Instant::now(), fresh.clone())), failed: None };
                Ok(fresh)
            }
            Err(error) => {
                fetched.failed = Some(Instant::now());
                Err(error)
            }
        }
    }
}

/// A token without the `Bearer` that may stand before it.
pub(crate) fn bare(text: &str) -> &str {
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => text.trim(),
    }
}

/// The user pool whose issuer that is: `https://cognito-idp.{region}.amazonaws.com/{pool}`.
fn pool_of(issuer: &str) -> Option<&str> {
    let (host, pool) = issuer.strip_prefix("https://cognito-idp.")?.split_once('/')?;
    host.ends_with(".amazonaws.com").then_some(pool)
}

async fn fetch(backend: &Backend, issuer: &str, at: KeysAt) -> Result<KeySet, NoKeys> {
    let root = issuer.trim_end_matches('/');
    let jwks_uri = match at {
        KeysAt::UserPool => format!("{root}/.well-known/jwks.json"),
        KeysAt::Discovered => {
            let uri = format!("{root}/.well-known/openid-configuration");
            let discovery = get(backend, &uri).await?;
            let Discovery { jwks_uri } =
                serde_json::from_slice(&discovery).map_err(|_| NoKeys::Answer(uri))?;
            jwks_uri
        }
    };
    let keys = get(backend, &jwks_uri).await?;
    KeySet::parse(&keys).map_err(|_| NoKeys::Answer(jwks_uri))
}

async fn get(backend: &Backend, uri: &str) -> Result<Bytes, NoKeys> {
    let request = Request::get(uri).header(http::header::ACCEPT, "application/json").body(Full::default());
    let request = request.map_err(|_| NoKeys::Answer(uri.to_owned()))?;
    let response = backend.send(request, FETCH_TIMEOUT, Tls::default()).await;
    let response = response.map_err(|error| NoKeys::Unreachable(uri.to_owned(), error.to_string()))?;
    let is_good = response.status().is_success() && response.body().len() <= KEY_SET_BYTES_MAX;
    if is_good { Ok(response.into_body()) } else { Err(NoKeys::Answer(uri.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_issuer_that_is_silent_isnt_asked_again_at_once() {
        let (issuers, backend) = (Issuers::default(), Backend::new());
        // Nobody listens there: port 1 belongs to no service of today.
        let rules = Rules { issuer: "http://127.0.0.1:1", audience: Some(&[]), algorithm: None };
        let first = issuers.verify(&backend, "a.b.c", &rules, KeysAt::Discovered, 0).await;
        assert!(matches!(first, Err(NoKeys::Unreachable(..))), "{first:?}");
        let second = issuers.verify(&backend, "a.b.c", &rules, KeysAt::UserPool, 0).await;
        assert!(matches!(second, Err(NoKeys::JustNow(_))), "{second:?}");
    }

    #[tokio::test]
    async fn nobody_is_asked_for_keys_that_were_given() {
        let given = HashMap::from([("us-east-1_a".to_owned(), Arc::new(KeySet::default()))]);
        let (issuers, backend) = (Issuers { given, ..Issuers::default() }, Backend::new());
        let rules = Rules {
            issuer: "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a",
            audience: None,
            algorithm: None,
        };
        let said = issuers.verify(&backend, "a.b.c", &rules, KeysAt::UserPool, 0).await;
        assert!(matches!(said, Ok(Err(Rejection::Malformed))), "{said:?}");
        for other in ["https://cognito-idp.evil/us-east-1_a", "http://x/us-east-1_a", "us-east-1_a"] {
            assert_eq!(pool_of(other), None, "{other}");
        }
    }

    #[test]
    fn bearer_may_stand_before_a_token() {
        for text in ["Bearer a.b.c", "bearer  a.b.c", "a.b.c", " a.b.c "] {
            assert_eq!(bare(text), "a.b.c", "{text}");
        }
    }

    #[test]
    fn issuers_have_a_bound() {
        let issuers = Issuers::default();
        for number in 0..ISSUERS_MAX * 2 {
            issuers.issuer(&number.to_string());
        }
        assert_eq!(issuers.known.lock().unwrap().len(), ISSUERS_MAX);
    }
}
