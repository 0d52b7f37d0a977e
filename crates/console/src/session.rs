//! Who has signed in. Kept in memory: a restart asks again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderValue, StatusCode};
use pitbird_control::Lookup;
use pitbird_names::Account;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The cookie's name.
const NAME: &str = "pitbird_session";
/// How long a session lasts.
const LIFE_S: u64 = 12 * 3600;
/// Sessions at the same time; one more ends the oldest.
const SESSIONS_MAX: usize = 256;
/// Failed attempts from one address within a minute before it has to wait.
const FAILURES_MAX: u32 = 10;
const FAILURES_WITHIN_MS: u64 = 60_000;
/// Addresses whose failures are remembered.
const SOURCES_MAX: usize = 1024;

/// What somebody signs in with.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Given {
    access_key_id: String,
    secret_access_key: String,
}

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub access_key_id: String,
    pub account: Account,
    pub principal: String,
}

/// Why somebody isn't let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Wrong,
    /// What STS gave out has policies of its own, which a page would have to be held against.
    Temporary,
    TooOften,
}

impl Refused {
    pub fn status(self) -> StatusCode {
        match self {
            Refused::Wrong | Refused::Temporary => StatusCode::FORBIDDEN,
            Refused::TooOften => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Refused::Wrong => "no key with this id and secret is known here",
            Refused::Temporary => {
                "temporary credentials don't sign in; use a key of the server's --keys file"
            }
            Refused::TooOften => "too many failed attempts; try again in a minute",
        })
    }
}

type Hash = [u8; 32];

#[derive(Default)]
pub struct Sessions(Mutex<Held>);

#[derive(Default)]
struct Held {
    /// By the hash of their token: to find one tells nobody how near another came.
    sessions: HashMap<Hash, (Known, u64)>,
    /// Of an address: since when, and how often.
    failures: HashMap<String, (u64, u32)>,
}

impl Sessions {
    /// Gives the token of a new session.
    pub fn sign_in(
        &self,
        given: &Given,
        lookup: &Lookup,
        source: &str,
        now_ms: u64,
        secret: impl FnOnce() -> String,
    ) -> Result<String, Refused> {
        if self.held().failed_too_often(source, now_ms) {
            return Err(Refused::TooOften);
        }
        let found = lookup(&given.access_key_id);
        // Somebody unknown takes the same way.
        let expected = found.as_ref().map_or("", |found| &found.secret.secret_access_key);
        let is_known = is_same(&hash(expected), &hash(&given.secret_access_key)) && !expected.is_empty();
        let found = found.filter(|_| is_known);
        let mut held = self.held();
        let Some(found) = found else {
            held.fail(source, now_ms);
            return Err(Refused::Wrong);
        };
        if found.secret.session.is_some() {
            return Err(Refused::Temporary);
        }
        let known = Known {
            access_key_id: given.access_key_id.clone(),
            account: found.account,
            principal: found.principal,
        };
        let token = secret();
        held.begin(&token, known, now_ms);
        Ok(token)
    }

    pub fn find(&self, token: &str, now_ms: u64) -> Option<Known> {
        let held = self.held();
        let (known, until_ms) = held.sessions.get(&hash(token))?;
        (now_ms < *until_ms).then(|| known.clone())
    }

    pub fn sign_out(&self, token: &str) {
        self.held().sessions.remove(&hash(token));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn begin(&mut self, token: &str, known: Known, now_ms: u64) {
        self.sessions.retain(|_, (_, until_ms)| now_ms < *until_ms);
        if self.sessions.len() >= SESSIONS_MAX {
            let oldest =
                self.sessions.iter().min_by_key(|(_, (_, until_ms))| *until_ms).map(|(hash, _)| *hash);
            oldest.and_then(|oldest| self.sessions.remove(&oldest));
        }
        self.sessions.insert(hash(token), (known, now_ms + LIFE_S * 1000));
    }

    fn failed_too_often(&self, source: &str, now_ms: u64) -> bool {
        let failed = self.failures.get(source);
        failed
            .is_some_and(|(since_ms, times)| *times >= FAILURES_MAX && now_ms < since_ms + FAILURES_WITHIN_MS)
    }

    fn fail(&mut self, source: &str, now_ms: u64) {
        if self.failures.len() >= SOURCES_MAX {
            self.failures.retain(|_, (since_ms, _)| now_ms < *since_ms + FAILURES_WITHIN_MS);
        }
        if self.failures.len() >= SOURCES_MAX {
            self.failures.clear();
        }
        let failed = self.failures.entry(source.to_owned()).or_insert((now_ms, 0));
        if now_ms >= failed.0 + FAILURES_WITHIN_MS {
            *failed = (now_ms, 0);
        }
        failed.1 += 1;
    }
}

/// The token that these cookies bear. Of two that differ neither is believed: another host of the same site can set cookies for
/// this one.
pub fn token<'h>(cookies: impl IntoIterator<Item = &'h HeaderValue>) -> Option<&'h str> {
    let pairs =
        cookies.into_iter().filter_map(|cookie| cookie.to_str().ok()).flat_map(|cookie| cookie.split(';'));
    let mut tokens = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == NAME)
        .map(|(_, value)| value);
    let token = tokens.next()?;
    tokens.all(|other| other == token).then_some(token)
}

/// Would this `Set-Cookie` touch a session? Some browsers take a cookie without a name for one of the name that its value begins with.
pub fn is_ours(set_cookie: &HeaderValue) -> bool {
    let text = set_cookie.as_bytes().trim_ascii_start();
    let text = text.strip_prefix(b"=").unwrap_or(text).trim_ascii_start();
    text.strip_prefix(NAME.as_bytes()).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
}

/// The cookie of a session that begins.
pub fn cookie(token: &str, is_secure: bool) -> String {
    written(token, LIFE_S, is_secure)
}

/// The cookie that takes it away.
pub fn cookie_over(is_secure: bool) -> String {
    written("", 0, is_secure)
}

fn written(token: &str, age_s: u64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{NAME}={token}; Path=/_pitbird; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}")
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text).into()
}

/// In the same time whatever they are.
fn is_same(one: &Hash, other: &Hash) -> bool {
    std::hint::black_box(one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pitbird_control::Credential;
    use pitbird_sigv4::{Secret, Session};

    use super::*;

    fn lookup() -> Lookup {
        Arc::new(|id: &str| {
            let session =
                (id == "ASIATEMPORARY").then(|| Session { token: "t".into(), expires_epoch_s: u64::MAX });
            ["AKIDEXAMPLE", "ASIATEMPORARY"].contains(&id).then(|| Credential {
                secret: Secret { secret_access_key: "secret".into(), session },
                account: Account::parse("123456789012").unwrap(),
                principal: "arn:aws:iam::123456789012:user/ada".into(),
                session_id: None,
            })
        })
    }

    fn sign_in(sessions: &Sessions, id: &str, secret: &str, now_ms: u64) -> Result<String, Refused> {
        let given = Given { access_key_id: id.into(), secret_access_key: secret.into() };
        sessions.sign_in(&given, &lookup(), "10.0.0.7", now_ms, || format!("token{now_ms}"))
    }

    #[test]
    fn who_has_a_key_is_known_until_the_session_ends() {
        let sessions = Sessions::default();
        let token = sign_in(&sessions, "AKIDEXAMPLE", "secret", 0).unwrap();
        assert_eq!(sessions.find(&token, LIFE_S * 1000 - 1).unwrap().account.as_str(), "123456789012");
        assert_eq!(sessions.find(&token, LIFE_S * 1000), None);
        assert_eq!(sessions.find("other", 0), None);
        sessions.sign_out(&token);
        assert_eq!(sessions.find(&token, 0), None);
    }

    #[test]
    fn wrong_keys_are_refused_and_too_many_wait() {
        let sessions = Sessions::default();
        assert_eq!(sign_in(&sessions, "ASIATEMPORARY", "secret", 0), Err(Refused::Temporary));
        for (at, (id, secret)) in [("AKIDEXAMPLE", "wrong"), ("NOBODY", ""), ("AKIDEXAMPLE", "")]
            .iter()
            .cycle()
            .take(10)
            .enumerate()
        {
            assert_eq!(sign_in(&sessions, id, secret, at as u64), Err(Refused::Wrong), "{id} {secret}");
        }
        assert_eq!(sign_in(&sessions, "AKIDEXAMPLE", "secret", 50), Err(Refused::TooOften));
        assert!(sign_in(&sessions, "AKIDEXAMPLE", "secret", FAILURES_WITHIN_MS).is_ok());
    }

    #[test]
    fn of_too_many_sessions_the_oldest_ends() {
        let sessions = Sessions::default();
        let tokens: Vec<String> = (0..=SESSIONS_MAX as u64)
            .map(|at| sign_in(&sessions, "AKIDEXAMPLE", "secret", at).unwrap())
            .collect();
        let alive = tokens.iter().filter(|token| sessions.find(token, 0).is_some()).count();
        assert_eq!((alive, sessions.find(&tokens[0], 0)), (SESSIONS_MAX, None));
    }

    #[test]
    fn cookies_stay_with_the_page() {
        let cookie = cookie("abc", true);
        assert_eq!(
            cookie,
            "pitbird_session=abc; Path=/_pitbird; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"
        );
        let sent = HeaderValue::from_static("a=b; pitbird_session=abc; c=d");
        assert_eq!(token([&sent]), Some("abc"));
        assert_eq!(token([&HeaderValue::from_static("xpitbird_session=abc")]), None);
        let twice = HeaderValue::from_static("pitbird_session=abc; pitbird_session=abc");
        assert_eq!(token([&twice]), Some("abc"));
        let other = HeaderValue::from_static("pitbird_session=other");
        assert_eq!(token([&sent, &other]), None, "one of them was set by somebody else");
    }
}
